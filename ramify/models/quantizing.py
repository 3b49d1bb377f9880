"""`ModelQuantizing`: the part of a model that quantizes its layers."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ramify.errors import ArgumentError, NotBuiltError
from ramify.layers.layer import Layer
from ramify.layers.normalization import SpectralNormalization
from ramify.models.calibration import calibrate
from ramify.quantizers.configs import config_for
from ramify.quantizers.layers import QuantizedMatrix

_KEEPS_WHOLE = (SpectralNormalization,)  # goes on to divide the kernel of its layer

Filters = str | Sequence[str] | Callable[[Layer], bool] | None


class ModelQuantizing:
    """Quantizes all layers that can be."""

    def quantize(
        self: Any, mode: str | None = None, config: Any = None, filters: Filters = None, **kwargs: Any
    ) -> None:
        """Keep the weights of the layers in fewer bits from now on, nested models included.

        Dense, EinsumDense, Embedding and ReversibleEmbedding are quantized, those inside of other layers included:
        the projections of attention, what wrappers hold. All other layers stay as they are.

        Args:
            mode: ``"int8"``, ``"int4"``, ``"float8"``; ``"gptq"`` and ``"awq"`` need a config with data.
            config: a `ramify.quantizers.QuantizationConfig` with more to say.
            filters: which layers: a regular expression, or several, found in the layer's path; or a function of the
                layer. All when not given.
            **kwargs: ``type_check``: see `Layer.quantize`.

        Raises:
            ArgumentError: a mode that there is not, or no layer to quantize.
            NotBuiltError: the model has no weights yet.

        Example:

        >>> import ramify
        >>> x = ramify.Input((4,))
        >>> model = ramify.Model(x, ramify.layers.Dense(2)(x))
        >>> model.quantize("int8")
        >>> model.layers[1].kernel.dtype
        torch.int8
        """
        type_check = kwargs.pop("type_check", True)
        if kwargs:
            raise ArgumentError(f"`quantize` takes no argument {', '.join(map(repr, kwargs))}. Leave it out.")
        config = config_for(mode, config)
        if not self.built:
            raise NotBuiltError(f"{self.describe()} has no weights to quantize yet. Build it, or call it, first.")
        wanted = _filter(filters)
        found = [layer for layer in _matrices(self) if config.mode in layer.modes and not layer.is_quantized]
        chosen = [layer for layer in found if wanted(layer)]
        if not chosen:
            raise ArgumentError(
                f"{self.describe()} has no layer to quantize as '{config.mode}'"
                f"{' that the filters let through' if found else ''}. Dense, EinsumDense and the embeddings can be."
            )
        for layer in chosen:
            layer.begin_quantization(config, type_check)
        if config.mode in ("gptq", "awq"):
            calibrate(self, chosen, config)
        else:
            for layer in chosen:
                layer.quantize(type_check=type_check, config=config)
        _forget_compiled(self)

    def get_quantization_layer_structure(self, mode: str | None = None) -> dict[str, Any] | None:
        """The order in which layers are calibrated; override it for a model of blocks.

        Args:
            mode: ``"gptq"`` or ``"awq"``.

        Returns:
            ``{"pre_block_layers": [...], "sequential_blocks": [...]}``, or ``None``: all layers at once.
        """
        del mode
        return None


def _filter(filters: Filters) -> Callable[[Layer], bool]:
    if filters is None:
        return lambda _: True
    if callable(filters):
        return filters
    patterns = [re.compile(one) for one in ([filters] if isinstance(filters, str) else filters)]

    def wanted(layer: Any) -> bool:
        return any(pattern.search(layer.full_path) for pattern in patterns)

    return wanted


def _matrices(model: Any) -> Iterator[Any]:
    """The layers of a model that have a matrix of weights, and those inside of others."""
    stack, seen = [model], set()
    while stack:
        module = stack.pop()
        if module in seen or isinstance(module, _KEEPS_WHOLE):
            continue
        seen.add(module)
        if isinstance(module, QuantizedMatrix) and module.built:
            yield module
        else:
            own = module.layers if isinstance(module, ModelQuantizing) else ()  # type: ignore[attr-defined]
            stack += reversed([*own, *module._modules.values()])


def _forget_compiled(model: Any) -> None:
    """Compiled code may hold the old weights."""
    for module in model.modules():
        if "_lowered" in module.__dict__:
            module.__dict__["_lowered"] = None
    if getattr(model, "compiled", False) and getattr(model.optimizer, "built", False):
        warnings.warn("The model was compiled before it was quantized: compile it again to train it.", stacklevel=3)
