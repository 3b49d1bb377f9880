"""Whether torch's own `Module.__call__` must run, or a layer's `call` may be called directly."""

from __future__ import annotations

from typing import Any

import torch

module_call = torch.nn.Module.__call__
_hooks = torch.nn.modules.module
_GLOBAL_HOOKS = (
    _hooks._global_forward_hooks,
    _hooks._global_forward_pre_hooks,
    _hooks._global_backward_hooks,
    _hooks._global_backward_pre_hooks,
)


def hooked(own: dict[str, Any]) -> bool:
    """Whether somebody listens to a module's calls (or has compiled it), so that torch's own `__call__` must run."""
    return bool(
        own["_forward_hooks"]
        or own["_forward_pre_hooks"]
        or own["_backward_hooks"]
        or own["_backward_pre_hooks"]
        or "_compiled_call_impl" in own
        or "forward" in own  # patched by a tool that wraps modules
        or any(_GLOBAL_HOOKS)
    )
