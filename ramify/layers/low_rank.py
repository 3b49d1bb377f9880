"""LoRA: a weight is frozen, and a low-rank update of it is trained."""

from __future__ import annotations

from typing import Any

import torch

from ramify import initializers
from ramify.errors import ArgumentError
from ramify.quantizers import packed


class LowRank:
    """A layer whose weight `matrix_name` can have a low-rank update (Hu et al., 2021, "LoRA", arXiv:2106.09685).

    The weight then acts as ``weight + lora_alpha / rank * a @ b``. Files hold that sum alone: in them, the layer is one
    without an update. What is read from a file is the weight, and the update starts anew from nothing.
    """

    matrix_name = "kernel"
    lora_rank: int | None = None
    lora_alpha: float | None = None
    lora_enabled = False
    _lora_start: Any

    def enable_lora(
        self: Any,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Freeze the weight and train a low-rank update of it from now on. Compile the model again afterwards.

        Args:
            rank: rank of the update.
            lora_alpha: the update is scaled by ``lora_alpha / rank``; `rank` when not given.
            a_initializer: how the factor with the weight's axes but the last, and one of size `rank`, starts.
            b_initializer: how the factor of shape ``(rank, size of the last axis)`` starts.

        Raises:
            ArgumentError: the weight does not exist yet, has an update already, or is quantized in a way that allows
                none; or the rank is not positive.
        """
        if not self.built or self.lora_enabled:
            reason = "has one already" if self.built else "is not built yet: call it first"
            raise ArgumentError(f"{self.describe()} takes no low-rank update: it {reason}.")
        self._add_update(rank, lora_alpha, a_initializer, b_initializer)
        self._register_loose_weights()

    def build_lora(self: Any) -> None:
        """In `build`, behind the weight: the update that the constructor was told of."""
        if self.lora_rank:
            self._add_update(self.lora_rank, self.lora_alpha, "he_uniform", "zeros")

    def _add_update(self: Any, rank: int, alpha: float | None, a: Any, b: Any) -> None:
        self.check_lora(getattr(self, "quantization_mode", None))
        if not isinstance(rank, int) or rank <= 0:
            raise ArgumentError(f"{self.describe()} takes a positive whole number as rank, but received {rank!r}.")
        name, (*rows, columns) = f"lora_{self.matrix_name}", self.whole_weight().shape
        regularizer = getattr(self, f"{self.matrix_name}_regularizer")
        weight = getattr(self, self.matrix_name)
        setattr(self, f"{name}_a", self.add_weight((*rows, rank), a, name=f"{name}_a", regularizer=regularizer))
        setattr(self, f"{name}_b", self.add_weight((rank, columns), b, name=f"{name}_b", regularizer=regularizer))
        if isinstance(weight, torch.nn.Parameter):
            weight.requires_grad_(False)
            weight.__dict__["regularizer"] = None  # the factors have it now
        self.lora_rank, self.lora_alpha = rank, rank if alpha is None else alpha
        self._lora_start, self.lora_enabled = (initializers.get(a), initializers.get(b)), True

    def check_lora(self: Any, mode: str | None) -> None:
        """Refuse an update of weights that are quantized in a way that has none."""
        if mode not in (None, "int8", "int4"):
            raise ArgumentError(f"{self.describe()}: weights quantized as '{mode}' take no low-rank update.")

    def lora_factors(self: Any, scaled: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
        """The factors of the update; the second one is scaled where it is not said otherwise."""
        a, b = (getattr(self, f"lora_{self.matrix_name}_{factor}") for factor in "ab")
        return a, b * (self.lora_alpha / self.lora_rank) if scaled else b

    def lora_update(self: Any) -> torch.Tensor:
        """What is added to the weight, in its shape."""
        a, b = self.lora_factors()
        return a @ b

    def whole_weight(self: Any) -> torch.Tensor:
        """The weight without an update, in floats."""
        if not getattr(self, "is_quantized", False):
            return getattr(self, self.matrix_name)
        return packed.restored_rows(self, slice(None)) if self.stands_by_rows else packed.restored(self)

    def updated_weight(self: Any) -> torch.Tensor:
        """The weight that the layer computes with."""
        return self.whole_weight() + self.lora_update() if self.lora_enabled else self.whole_weight()

    # ---- files ----

    def saved_weights(self: Any) -> list[Any]:
        """What files hold: no factors."""
        own = super().saved_weights()  # type: ignore[misc]
        left = self.lora_factors(scaled=False) if self.lora_enabled else ()
        return [weight for weight in own if all(weight is not factor for factor in left)]

    def save_own_variables(self: Any, store: Any) -> None:
        """Write the weights, the update within the one that it belongs to."""
        super().save_own_variables(store)  # type: ignore[misc]
        if not self.lora_enabled:
            return
        with torch.no_grad():
            merged = {self.matrix_name: self.updated_weight()}
        if getattr(self, "is_quantized", False):
            merged = packed.quantized(self, merged[self.matrix_name], self.quantization_config)
        by_id = {id(getattr(self, name)): tensor for name, tensor in merged.items()}
        for i, weight in enumerate(self.saved_weights()):
            store[str(i)] = by_id.get(id(weight), store[str(i)])

    def after_loading(self: Any) -> None:
        """The weight came from a file, with an update of its own if there was one: this one starts anew."""
        if self.lora_enabled:
            for factor, start in zip(self.lora_factors(scaled=False), self._lora_start, strict=True):
                factor.copy_(start(tuple(factor.shape), dtype=str(factor.dtype).removeprefix("torch.")))

    def get_config(self: Any) -> dict[str, Any]:
        """The constructor's arguments, with rank and scale of an update where there is one."""
        config = super().get_config()  # type: ignore[misc]
        told = {name: config.pop(name, getattr(self, name)) for name in ("lora_rank", "lora_alpha")}
        return {**config, **told} if self.lora_rank else config
