"""How a layer is to be quantized: the mode, and the quantizers of its weights and inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ramify.errors import ArgumentError
from ramify.quantizers.quantizer import AbsMaxQuantizer, Quantizer, get, serialize
from ramify.registry import serializable

MODES = ("int8", "int4", "float8", "gptq", "awq")


@serializable("keras.quantizers")
class QuantizationConfig:
    """The base of the configs.

    Args:
        weight_quantizer: quantizer of weights; the mode's own when not given.
        activation_quantizer: quantizer of inputs; they stay floats when not given.

    Attributes:
        mode: ``"int8"``, ``"int4"``, ``"float8"``, ``"gptq"`` or ``"awq"``.
    """

    mode: ClassVar[str] = ""

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = None) -> None:
        self.weight_quantizer = get(weight_quantizer)
        self.activation_quantizer = get(activation_quantizer)

    @property
    def policy(self) -> str:
        """The mode as names of dtype policies begin with it."""
        return self.mode

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as plain data."""
        return {
            "weight_quantizer": serialize(self.weight_quantizer),
            "activation_quantizer": serialize(self.activation_quantizer),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The config that `get_config` described."""
        return cls(**config)


@serializable("keras.quantizers")
class Int8QuantizationConfig(QuantizationConfig):
    """Weights in 8-bit whole numbers; inputs too, so that the product is one of whole numbers.

    Args:
        weight_quantizer: quantizer of the weights; largest absolute value, for every output, when not given.
        activation_quantizer: quantizer of inputs; ``"default"``: largest absolute value of each sample's features;
            ``None``: inputs stay floats.

    Raises:
        ArgumentError: a quantizer whose numbers do not fit.

    Example:

    >>> Int8QuantizationConfig(activation_quantizer=None).mode
    'int8'
    """

    mode = "int8"

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = "default") -> None:
        if isinstance(activation_quantizer, str) and activation_quantizer == "default":
            activation_quantizer = AbsMaxQuantizer()
        super().__init__(weight_quantizer, activation_quantizer)
        _fits(self.weight_quantizer, -128, 127, "int8")


@serializable("keras.quantizers")
class Int4QuantizationConfig(QuantizationConfig):
    """Weights in 4-bit whole numbers, two in a byte.

    Args:
        weight_quantizer: quantizer of the weights; the mode's own when not given.
        activation_quantizer: quantizer of inputs; ``"default"`` leaves them floats.
        block_size: inputs that share a scale and a zero point; ``None`` or -1: one scale for every output.

    Raises:
        ArgumentError: a quantizer whose numbers do not fit, or a block size that is none.
    """

    mode = "int4"

    def __init__(
        self, weight_quantizer: Any = None, activation_quantizer: Any = "default", block_size: int | None = 128
    ) -> None:
        if isinstance(activation_quantizer, str) and activation_quantizer == "default":
            activation_quantizer = None
        super().__init__(weight_quantizer, activation_quantizer)
        if block_size is not None and (block_size == 0 or block_size < -1):
            raise ArgumentError(f"block_size={block_size} is no number of inputs. Use None, -1 or a positive number.")
        self.block_size = block_size
        _fits(self.weight_quantizer, -8, 7, "int4")

    @property
    def policy(self) -> str:
        """The mode with the size of blocks."""
        return f"int4/{self.block_size or -1}"

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as plain data."""
        return {**super().get_config(), "block_size": self.block_size}


@serializable("keras.quantizers")
class Float8QuantizationConfig(QuantizationConfig):
    """Training with products of 8-bit floats (Micikevicius et al., 2022, "FP8 Formats for Deep Learning").

    Weights stay what they are; inputs and kernel go through E4M3, gradients of outputs through E5M2, scaled by the
    largest absolute values of the last steps.
    """

    mode = "float8"

    def __init__(self) -> None:
        super().__init__(None, None)

    def get_config(self) -> dict[str, Any]:
        """Nothing."""
        return {}


class _Calibrated(QuantizationConfig):
    """What the methods that look at data have in common."""

    def _settle(self, arguments: Mapping[str, Any]) -> None:
        super().__init__(None, None)
        self.__dict__.update(arguments)
        for name in ("num_samples", "sequence_length"):
            if arguments[name] <= 0:
                raise ArgumentError(f"{name}={arguments[name]} must be positive.")
        if self.group_size == 0 or self.group_size < -1:
            raise ArgumentError(f"group_size={self.group_size} is no number of inputs. Use -1 or a positive number.")

    dataset: Any
    tokenizer: Any
    weight_bits: int
    group_size: int
    quantization_layer_structure: Any

    @property
    def policy(self) -> str:
        """The mode with bits and the size of groups."""
        return f"{self.mode}/{self.weight_bits}/{self.group_size}"

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; data, tokenizer and layers are left out: they do not belong in files."""
        left_out = ("dataset", "tokenizer", "quantization_layer_structure")
        plain = {name: value for name, value in vars(self).items() if not name.endswith("_quantizer")}
        return {name: None if name in left_out else value for name, value in plain.items()}


@serializable("keras.quantizers")
class GPTQConfig(_Calibrated):
    """Weights rounded input by input, the rest making up for each error (Frantar et al., 2022, "GPTQ").

    Args:
        dataset: what the model will see: strings for the tokenizer, sequences of token ids, or arrays of inputs.
        tokenizer: from a string to token ids; anything where the data are numbers already.
        weight_bits: 2, 3, 4 or 8.
        num_samples: samples to look at.
        per_channel: whether every output has scales of its own.
        sequence_length: token ids in a sample.
        hessian_damping: added to the Hessian's diagonal, as a share of its mean.
        group_size: inputs that share a scale; -1: all.
        symmetric: whether the zero point is the middle of the range.
        activation_order: whether inputs with large activations are rounded first.
        quantization_layer_structure: ``{"pre_block_layers": [...], "sequential_blocks": [...]}``: blocks are rounded
            in order, each seeing what the rounded ones before it give. All layers see the full model when not given.

    Raises:
        ArgumentError: numbers out of range.
    """

    mode = "gptq"

    def __init__(
        self,
        dataset: Any,
        tokenizer: Any,
        *,
        weight_bits: int = 4,
        num_samples: int = 128,
        per_channel: bool = True,
        sequence_length: int = 512,
        hessian_damping: float = 0.01,
        group_size: int = 128,
        symmetric: bool = False,
        activation_order: bool = False,
        quantization_layer_structure: dict[str, Any] | None = None,
    ) -> None:
        self.per_channel, self.symmetric, self.activation_order = per_channel, symmetric, activation_order
        self._settle({k: v for k, v in locals().items() if k not in ("self", "__class__")})
        if weight_bits not in (2, 3, 4, 8):
            raise ArgumentError(f"weight_bits={weight_bits} is not supported. Use 2, 3, 4 or 8.")
        if not 0 <= hessian_damping <= 1:
            raise ArgumentError(f"hessian_damping={hessian_damping} must lie in [0, 1].")


@serializable("keras.quantizers")
class AWQConfig(_Calibrated):
    """Weights of inputs that matter are scaled up before they are rounded (Lin et al., 2023, "AWQ").

    Args:
        dataset: see `GPTQConfig`.
        tokenizer: see `GPTQConfig`.
        weight_bits: 4.
        num_samples: samples to look at.
        sequence_length: token ids in a sample.
        group_size: inputs that share a scale; -1: all.
        num_grid_points: exponents that are tried between 0 and 1.
        quantization_layer_structure: see `GPTQConfig`.

    Raises:
        ArgumentError: numbers out of range.
    """

    mode = "awq"

    def __init__(
        self,
        dataset: Any,
        tokenizer: Any,
        *,
        weight_bits: int = 4,
        num_samples: int = 128,
        sequence_length: int = 512,
        group_size: int = 128,
        num_grid_points: int = 20,
        quantization_layer_structure: dict[str, Any] | None = None,
    ) -> None:
        self.num_grid_points = num_grid_points
        self._settle({k: v for k, v in locals().items() if k not in ("self", "__class__")})
        if weight_bits != 4:
            raise ArgumentError(f"weight_bits={weight_bits} is not supported. AWQ uses 4.")
        if num_grid_points <= 0:
            raise ArgumentError(f"num_grid_points={num_grid_points} must be positive.")


def config_for(mode: str | None, config: Any) -> QuantizationConfig:
    """The config that `quantize(mode, config)` means.

    Raises:
        ArgumentError: no mode that there is, or a config of another mode, or none where one is needed.
    """
    if config is None:
        plain = {"int8": Int8QuantizationConfig, "int4": Int4QuantizationConfig, "float8": Float8QuantizationConfig}
        if mode in ("gptq", "awq"):
            kind = "GPTQConfig" if mode == "gptq" else "AWQConfig"
            raise ArgumentError(f"Mode '{mode}' looks at data. Pass `config=quantizers.{kind}(dataset, tokenizer)`.")
        if mode not in plain:
            raise ArgumentError(f"mode={mode!r} is no way to quantize. Use one of {', '.join(MODES)}.")
        return plain[mode]()
    if not isinstance(config, QuantizationConfig) or config.mode not in MODES:
        raise ArgumentError(f"config={config!r:.80} is no quantization config. Use one of `ramify.quantizers`.")
    if mode is not None and mode != config.mode:
        raise ArgumentError(f"mode='{mode}' contradicts the config, which is for '{config.mode}'. Leave one out.")
    return config


def _fits(quantizer: Any, low: int, high: int, mode: str) -> None:
    limits = getattr(quantizer, "value_range", None)
    if limits is not None and (limits[0] < low or limits[1] > high):
        raise ArgumentError(f"A weight quantizer for {mode} stays in {low} ... {high}, but value_range is {limits}.")
    if quantizer is not None and isinstance(quantizer, Quantizer) and quantizer.output_dtype != "int8":
        raise ArgumentError(f"A weight quantizer for {mode} gives int8, but output_dtype='{quantizer.output_dtype}'.")
