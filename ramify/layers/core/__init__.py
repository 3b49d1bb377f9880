"""The layers everything else is made of."""

from ramify.layers.core.dense import Dense
from ramify.layers.core.einsum_dense import EinsumDense
from ramify.layers.core.embedding import Embedding
from ramify.layers.core.input_layer import Input, InputLayer
from ramify.layers.core.lambda_layer import Lambda
from ramify.layers.core.passing import Activation, Identity, Masking
from ramify.layers.core.reversible_embedding import ReversibleEmbedding
from ramify.layers.core.torch_module import TorchModuleWrapper
from ramify.layers.core.wrapper import Wrapper

__all__ = [
    "Activation", "Dense", "EinsumDense", "Embedding", "Identity", "Input", "InputLayer", "Lambda", "Masking",
    "ReversibleEmbedding", "TorchModuleWrapper", "Wrapper",
]  # fmt: skip
