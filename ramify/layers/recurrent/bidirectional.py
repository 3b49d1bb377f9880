"""`Bidirectional`: a recurrent layer through time in both directions."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ArgumentError, ShapeError
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.layers.recurrent.states import as_list
from ramify.registry import serializable

_MERGES = ("sum", "mul", "concat", "ave", None)
_EQUAL = ("return_sequences", "return_state", "stateful", "zero_output_for_mask")


@serializable("keras.layers")
class Bidirectional(Layer):
    """Two copies of a recurrent layer, one of which goes through time from the end (Schuster and Paliwal, 1997).

    Args:
        layer: a recurrent layer; it is copied without its weights.
        merge_mode: how the two outputs become one: ``"concat"`` (last axis), ``"sum"``, ``"mul"``, ``"ave"``; ``None``
            for a tuple of both.
        weights: initial values of all weights.
        backward_layer: the layer for the other direction; a copy of `layer` with `go_backwards` turned when not given.

    Shapes:
        ``(batch, time, inputs)`` -> ``(batch, 2 * units)`` with ``"concat"``, ``(batch, units)`` with other modes; with
        a time axis if the layer returns sequences, in the input's order of time; followed by the states of the forward
        and of the backward layer if it returns states.

    Raises:
        ArgumentError: a layer that is not recurrent, an unknown mode, or two layers that do not go together.

    Example:

    >>> import ramify
    >>> from ramify.layers.recurrent import LSTM
    >>> Bidirectional(LSTM(32, return_sequences=True))(ramify.Input(shape=(None, 8))).shape
    (None, None, 64)
    """

    _initial_weights: Any

    left_out_of_config = ("weights",)

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        _check_recurrent(layer)
        if merge_mode not in _MERGES:
            raise ArgumentError(f"Bidirectional takes a merge_mode among {_MERGES}, but received {merge_mode!r}.")
        super().__init__(**kwargs)
        base = layer.name.removeprefix("forward_")
        self.forward_layer = _copy(layer, name=f"forward_{base}")
        if backward_layer is None:
            turned = not layer.go_backwards
            self.backward_layer = _copy(layer, name=f"backward_{base}", go_backwards=turned)
        else:
            _check_recurrent(backward_layer)
            self.backward_layer = backward_layer
            _check_pair(self.forward_layer, backward_layer)
        for one in (self.forward_layer, self.backward_layer):
            if hasattr(one, "zero_output_for_mask"):
                one.zero_output_for_mask = layer.return_sequences  # as Keras: outputs that no step made are zero
        self.merge_mode = merge_mode
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.stateful = layer.stateful
        self.supports_masking = True
        self.makes_mask = False
        self.input_spec = getattr(self.forward_layer, "input_spec", None) or InputSpec(min_ndim=3)
        self.__dict__["_initial_weights"] = weights

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build both layers."""
        del initial_state_shape
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)

    def call(
        self,
        sequences: torch.Tensor,
        initial_state: Any = None,
        mask: torch.Tensor | None = None,
        training: bool | None = None,
    ) -> Any:
        """Run both layers and merge.

        Args:
            sequences: ``(batch, time, ...)``.
            initial_state: list of states: the forward layer's, then the backward layer's.
            mask: boolean ``(batch, time)``: the steps that count.
            training: whether to drop.
        """
        ahead, back = self._split(initial_state)
        forward = self.forward_layer(sequences, initial_state=ahead, mask=mask, training=training)
        backward = self.backward_layer(sequences, initial_state=back, mask=mask, training=training)
        states: tuple[Any, ...] = ()
        if self.return_state:
            states = (*forward[1:], *backward[1:])
            forward, backward = forward[0], backward[0]
        if self.return_sequences:
            backward = backward.flip(1)
        if self.merge_mode is None:
            return (forward, backward, *states)
        output = _merge(self.merge_mode, forward, backward)
        return (output, *states) if states else output

    def _split(self, states: Any) -> tuple[Any, Any]:
        if states is None:
            return None, None
        states = as_list(states)
        half = len(states) // 2
        if len(states) % 2:
            raise ShapeError(
                f"{self.describe()} takes an even number of states, the forward layer's and then as many of the "
                f"backward layer's, but received {len(states)}."
            )
        return states[:half], states[half:]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The input's mask for returned sequences; none for last outputs and states."""
        del inputs
        mask = previous_mask[0] if isinstance(previous_mask, (list, tuple)) else previous_mask
        mask = mask if self.return_sequences else None
        masks = [mask] if self.merge_mode else [mask, mask]
        if self.return_state:
            count = len(self.forward_layer.state_size) + len(self.backward_layer.state_size)
            masks += [None] * count
        return masks if len(masks) > 1 else mask

    @property
    def states(self) -> Any:
        """The states that stateful layers start their next batch with, both layers' in one list; else ``None``."""
        if not (self.stateful and self.forward_layer.states):
            return None
        return [*self.forward_layer.states, *self.backward_layer.states]

    def reset_state(self) -> None:
        """Let stateful layers start afresh, from zeros."""
        if self.stateful:
            self.forward_layer.reset_state()
            self.backward_layer.reset_state()

    reset_states = reset_state

    @property
    def go_backwards(self) -> bool:
        """Whether the first layer goes from the end."""
        return self.forward_layer.go_backwards

    @property
    def layer(self) -> Any:
        """The forward layer."""
        return self.forward_layer


def _merge(mode: str, forward: torch.Tensor, backward: torch.Tensor) -> torch.Tensor:
    if mode == "concat":
        return torch.cat((forward, backward), -1)
    if mode == "mul":
        return forward * backward
    return forward + backward if mode == "sum" else (forward + backward) / 2


def _copy(layer: Layer, **changes: Any) -> Any:
    return type(layer).from_config({**layer.get_config(), **changes})


def _check_recurrent(layer: Any) -> None:
    wanted = ("return_sequences", "return_state", "go_backwards", "stateful")
    missing = [name for name in wanted if not hasattr(layer, name)]
    if not isinstance(layer, Layer) or missing:
        raise ArgumentError(
            f"Bidirectional takes a recurrent layer such as `LSTM(32)`, but received {layer!r}"
            + (f", which has no `{missing[0]}`" if missing else "")
            + ". For other layers see `TimeDistributed`."
        )


def _check_pair(forward: Any, backward: Any) -> None:
    if forward.go_backwards == backward.go_backwards:
        raise ArgumentError(
            f"Bidirectional needs one layer for each direction, but both have go_backwards={forward.go_backwards}. "
            f"Set go_backwards={not forward.go_backwards} in `backward_layer`."
        )
    for name in _EQUAL:
        values = getattr(forward, name, False), getattr(backward, name, False)
        if values[0] != values[1]:
            raise ArgumentError(
                f"Bidirectional needs layers of equal `{name}`, but they have {values[0]} and {values[1]}. "
                "Make them equal."
            )
