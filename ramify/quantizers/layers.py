"""What every layer says of quantization, and how layers with a matrix of weights keep it in fewer bits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from ramify import dtype_policies
from ramify.dtype_policies import DTypePolicyMap
from ramify.errors import ArgumentError, NotBuiltError
from ramify.graph import paused
from ramify.quantizers import float8, packed
from ramify.quantizers.configs import QuantizationConfig, config_for
from ramify.quantizers.quantizer import AbsMaxQuantizer, get, serialize
from ramify.variables import State

Tensor = torch.Tensor


class Quantizing:
    """The part of a layer that answers for quantization: most layers have no weights that could be quantized."""

    name: str
    dtype_policy: Any
    describe: Callable[[], str]

    @property
    def quantization_mode(self) -> str | None:
        """``"int8"``, ``"int4"``, ``"float8"``, ``"gptq"``, ``"awq"``; ``None`` for a layer that is not quantized."""
        mode: str | None = self.dtype_policy.quantization_mode
        return mode

    def quantize(self, mode: str | None = None, type_check: bool = True, config: Any = None) -> None:
        """Keep the weights in fewer bits from now on.

        Args:
            mode: ``"int8"``, ``"int4"`` or ``"float8"``; the config's when not given.
            type_check: whether a subclass of a layer is refused: its computation may need other weights.
            config: a `ramify.quantizers.QuantizationConfig` with more to say.

        Raises:
            ArgumentError: the layer has no matrix of weights, or is quantized already.
        """
        del mode, type_check, config
        self._refuse()

    def quantized_build(self, input_shape: Any, mode: str, config: Any = None) -> None:
        """Make the weights of a layer that is quantized from the start, for a file to fill."""
        del input_shape, mode, config
        self._refuse()

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """The layer's computation with quantized weights."""
        del args, kwargs
        return self._refuse()

    def told_policy(self, held: Iterable[str]) -> Any:
        """The dtype policy for a config: a map, where it says nothing else of quantized layers inside.

        Args:
            held: names of the attributes that the config describes, and of the layers in them.
        """
        policy = self.__dict__.get("_policy_map", self.dtype_policy)
        told = {id(one) for name in held for one in _modules_in(getattr(self, name, None))}
        inside = {one.full_path: one for one in _matrices_in(self) if one.is_quantized and id(one) not in told}
        if not inside:
            return policy
        given = policy if isinstance(policy, DTypePolicyMap) else {}
        found = {path: _with_config(one.dtype_policy, one.quantization_config) for path, one in inside.items()}
        return DTypePolicyMap(self.dtype_policy, {**given, **found})

    def settle_inside(self) -> None:
        """Once all is built: quantize the layers inside that the dtype policy names, for a file to fill."""
        policies = self.__dict__.get("_policy_map", self.dtype_policy)
        if not isinstance(policies, DTypePolicyMap):
            return
        wanted = {self._inner_path(path): policy for path, policy in policies.items()}
        for one in _matrices_in(self):
            policy = wanted.get(self._inner_path(one.full_path))
            if getattr(policy, "quantization_mode", None) is not None and one.quantization_mode is None:
                with paused(), torch.no_grad():  # real weights, within a call on tensors without data, too
                    one.dtype_policy = policy
                    one.build_quantized(None)

    def _inner_path(self, path: str) -> str:
        """From this layer on: where it stands itself depends on who builds it."""
        return f"/{path}".rpartition(f"/{self.name}/")[2].lstrip("/")

    def _refuse(self) -> Any:
        raise ArgumentError(
            f"{self.describe()} has no matrix of weights that could be quantized. Dense, EinsumDense, Embedding and "
            "ReversibleEmbedding have; `model.quantize(...)` leaves all others as they are."
        )


def _modules_in(value: Any) -> Iterator[torch.nn.Module]:
    """All modules in nested containers and modules."""
    if isinstance(value, torch.nn.Module):
        yield from value.modules()
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _modules_in(item)


def _with_config(policy: Any, config: QuantizationConfig) -> Any:
    """The policy, and the config where it says more than the policy can; no name, and so no Keras, can tell that."""
    plain = packed.config_of(policy).activation_quantizer
    if config.mode != "int8" or serialize(plain) == serialize(config.activation_quantizer):
        return policy
    return dtype_policies.QuantizedDTypePolicy(**{**policy.get_config(), "quantization_config": serialize(config)})


def _matrices_in(layer: Any) -> Iterator[Any]:
    """The layers inside that have a matrix of weights."""
    return (one for one in layer.modules() if isinstance(one, QuantizedMatrix) and one is not layer and one.built)


class QuantizedMatrix:
    """A layer whose weight `matrix_name` can be quantized; it says how that weight is one matrix.

    A subclass with other axes than ``(inputs, outputs)`` overrides what is below.
    """

    matrix_name = "kernel"
    modes: tuple[str, ...] = ("int8", "int4", "float8", "gptq", "awq")
    summed_axes: tuple[int, ...] = (0,)  # axes of the weight that the computation sums over
    stands_by_rows = False  # whether a row of the weight is an output, as in a table that is looked up
    is_quantized = False
    lora_enabled = False  # see `ramify.layers.low_rank`
    quantization_config: Any = None
    __dict__: dict[str, Any]

    built: bool

    @property
    def full_path(self) -> str:
        """Where the layer stands, as its weights' paths tell it: ``"mha/query"``."""
        path: str = getattr(self, self.matrix_name).path.rpartition("/")[0]
        return path

    def as_matrix(self, weight: Tensor) -> Tensor:
        """The weight with its summed axes as rows, the others as columns."""
        return weight

    def from_matrix(self, matrix: Tensor) -> Tensor:
        """The weight that `as_matrix` took apart."""
        return matrix

    def as_stored_matrix(self, weight: Tensor) -> Tensor:
        """The matrix that 4-bit weights are stored as; that of Keras files, which may mix axes up."""
        return self.as_matrix(weight)

    def from_stored_matrix(self, matrix: Tensor) -> Tensor:
        """The way back."""
        return self.from_matrix(matrix)

    def outer_scale(self, scale: Tensor) -> Tensor:
        """Scales as files hold them, from those of the weight with its summed axes kept as size 1."""
        return scale.squeeze(self.summed_axes)

    def inner_scale(self, scale: Tensor) -> Tensor:
        """The way back."""
        for axis in sorted(a % (scale.ndim + len(self.summed_axes)) for a in self.summed_axes):
            scale = scale.unsqueeze(axis)
        return scale

    # ---- to fewer bits ----

    def quantize(self: Any, mode: str | None = None, type_check: bool = True, config: Any = None) -> None:
        """Keep the matrix of weights in fewer bits from now on; see `Layer.quantize`.

        ``"gptq"`` and ``"awq"`` look at data, so they begin at `Model.quantize`.
        """
        config = config_for(mode, self.quantization_config if config is None and mode is None else config)
        if config.mode in ("gptq", "awq"):
            raise ArgumentError(f"Mode '{config.mode}' looks at what reaches the layer. Call `model.quantize(...)`.")
        self.begin_quantization(config, type_check)
        if config.mode == "float8":
            float8.add_state(self)
        else:
            weight = getattr(self, self.matrix_name).detach()
            self.put_quantized(packed.quantized(self, weight, config))
        self.finish_quantization(config)

    def begin_quantization(self: Any, config: QuantizationConfig, type_check: bool = True) -> None:
        """Check that the layer can be quantized now."""
        if not self.built:
            raise NotBuiltError(f"{self.describe()} has no weights to quantize yet. Build it, or call it, first.")
        if self.quantization_mode is not None:
            raise ArgumentError(f"{self.describe()} is quantized already, as '{self.dtype_policy.name}'.")
        if self.lora_enabled:
            self.check_lora(config.mode)
        if config.mode not in self.modes:
            raise ArgumentError(f"{self.describe()} cannot be quantized as '{config.mode}', only {self.modes}.")
        if type_check and not type(self).__module__.startswith("ramify."):
            raise ArgumentError(
                f"{type(self).__name__} is a class of your own, whose computation may need the weights as they are. "
                "Pass `type_check=False` if it calls `super().call`."
            )

    def put_quantized(self: Any, tensors: dict[str, Tensor]) -> None:
        """Put quantized tensors in the place of the matrix."""
        self._register_loose_weights()
        prefix = getattr(self, self.matrix_name).path.rpartition("/")[0]
        delattr(self, self.matrix_name)
        for name, tensor in tensors.items():
            setattr(self, name, State.make(tensor.contiguous(), name, f"{prefix}/{name}"))

    def finish_quantization(self: Any, config: QuantizationConfig) -> None:
        """Remember how the layer is quantized."""
        self.quantization_config = config
        self.dtype_policy = dtype_policies.get(f"{config.policy}_from_{self.dtype_policy.name}")
        self.is_quantized = True
        self.finish_call()

    # ---- a layer made quantized, for a file ----

    def quantized_build(self: Any, input_shape: Any, mode: str, config: Any = None) -> None:
        """Turn the weights that `build` made into quantized ones, whose values a file will give."""
        del input_shape
        policy = self.dtype_policy
        told = get(getattr(policy, "quantization_config", None))
        config = config or self.quantization_config or told or packed.config_of(policy)
        if mode == "float8":
            float8.add_state(self)
        else:
            self.put_quantized(packed.blank(self, getattr(self, self.matrix_name).detach(), config))
        self.quantization_config = config
        self.is_quantized = True

    def build_quantized(self: Any, input_shape: Any) -> None:
        """At the end of `build`: where the policy says so, the layer is quantized from the start."""
        if self.quantization_mode is not None:
            self.quantized_build(input_shape, self.quantization_mode)

    # ---- with fewer bits ----

    def saved_weights(self: Any) -> list[Any]:
        """What files hold, in Keras's order; see `packed.NAMES`."""
        if not self.is_quantized:
            return super().saved_weights()  # type: ignore[misc]
        mode = self.quantization_mode
        names = float8.NAMES if mode == "float8" else packed.NAMES[mode]
        first = ["bias", self.matrix_name] if mode in ("gptq", "awq") else [self.matrix_name, "bias"]
        found = [getattr(self, name, None) for name in (*first, *(self.full_name(n) for n in names))]
        kept = {id(weight): weight for weight in (*found, *super().saved_weights()) if weight is not None}  # type: ignore[misc]
        return list(kept.values())

    def full_name(self, name: str) -> str:
        """The attribute for a part of the quantized matrix: ``"scale"`` is ``kernel_scale`` of a kernel."""
        return f"{self.matrix_name}_{name}" if name in ("scale", "zero") else name

    def product(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """The computation without bias and activation, in floats; a layer that multiplies defines it."""
        raise ArgumentError(f"{type(self).__name__} does not multiply by its matrix.")

    def whole_product(self, inputs: Tensor) -> Tensor | None:
        """The same for inputs in 8-bit whole numbers; ``None`` where there is no kernel for it."""
        del inputs
        return None

    def summed_input_axes(self) -> tuple[int, ...]:
        """The axes of the input that the product sums over."""
        return (-1,)

    def quantized_call(self: Any, inputs: Tensor) -> Tensor:
        """The layer's computation with quantized weights."""
        outputs = self._float8_product(inputs) if self.quantization_mode == "float8" else self._whole(inputs)
        if self.lora_enabled:
            outputs = outputs + self.product(inputs, self.lora_update())
        if self.bias is not None:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)

    def _float8_product(self: Any, inputs: Tensor) -> Tensor:
        training = self.resolve_training()
        x = float8.through(self, inputs, "inputs", training)
        kernel = float8.through(self, self.kernel.to(x.dtype), "kernel", training)
        return float8.gradients_through(self, self.product(x, kernel), training)

    def _whole(self: Any, inputs: Tensor) -> Tensor:
        quantizer = getattr(self.quantization_config, "activation_quantizer", None)
        if quantizer is None or self.quantization_mode != "int8":
            return self.product(inputs, packed.restored(self))
        given = isinstance(quantizer, AbsMaxQuantizer) and quantizer.axis is None
        numbers, scale = quantizer(inputs, axis=self.summed_input_axes()) if given else quantizer(inputs)
        if not (torch.is_grad_enabled() and inputs.requires_grad):
            sums = self.whole_product(numbers)
            if sums is not None:
                return sums / scale
        rounded = numbers.to(inputs.dtype) / scale
        return self.product(inputs + (rounded - inputs).detach(), packed.restored(self))
