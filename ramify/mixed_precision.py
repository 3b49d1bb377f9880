"""Mixed precision under Keras's names: compute in half precision, keep weights in float32."""

from ramify.dtype_policies import DTypePolicy, dtype_policy, set_dtype_policy
from ramify.optimizers import LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]
