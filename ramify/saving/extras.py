"""State that Keras's files do not hold and ours do: how far random streams have got, and what metrics have gathered.

It stands in the metadata, where Keras does not look.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from ramify.errors import FileFormatError
from ramify.layers.layer import Layer
from ramify.random import SeedGenerator
from ramify.saving.parts import join, parts_of
from ramify.seeds import Stream

RANDOM, METRICS = "random", "metrics"
_MAX_NUMBERS = 10_000


def state_of(model: Layer) -> dict[str, Any]:
    """Random and metric state as plain data."""
    streams = {path: _drawn(stream) for path, stream in _streams(model)}
    metrics = {name: [value.tolist() for value in values] for name, values in _metrics(model)}
    found = {RANDOM: {path: state for path, state in streams.items() if state}, METRICS: metrics}
    return {name: state for name, state in found.items() if state}


def _drawn(stream: Stream | SeedGenerator) -> Any:
    if isinstance(stream, SeedGenerator):
        return stream.state.value.tolist()
    states = stream.__getstate__()["states"]
    return {device: base64.b64encode(state.cpu().numpy().tobytes()).decode() for device, state in states.items()}


def restore_random(model: Layer, states: Mapping[str, Any], name: str) -> None:
    """Let a model's random streams go on from where they were.

    Raises:
        FileFormatError: the state is damaged.
    """
    try:
        for path, stream in _streams(model):
            state = states.get(path)
            if state is None:
                continue
            if isinstance(stream, SeedGenerator):
                stream.state.assign(torch.tensor(state, dtype=torch.int64).reshape(2))
            elif isinstance(state, Mapping):
                stream.__setstate__({"seed": stream.seed, "states": dict(_usable(state))})
    except (TypeError, ValueError, RuntimeError, AttributeError, binascii.Error) as error:
        raise FileFormatError(f"The random state in {name} is damaged: {error}. Save the model again.") from None


def _usable(states: Mapping[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    """The states for devices that this machine has."""
    for device, text in states.items():
        if device == "cpu" or (device.startswith("cuda") and torch.cuda.is_available()):
            yield device, torch.frombuffer(bytearray(base64.b64decode(text, validate=True)), dtype=torch.uint8)


def restore_metrics(model: Layer, states: Mapping[str, Any], name: str) -> None:
    """Let metrics go on from what they had gathered, those whose state has the same shapes.

    Raises:
        FileFormatError: the state is damaged.
    """
    try:
        for metric in getattr(model, "metrics", ()):
            values, own = states.get(metric.name), list(metric.variables)
            if values is None or len(values) != len(own):
                continue
            arrays = [np.asarray(value) for value in values]
            if all(array.shape == tuple(variable.shape) for array, variable in zip(arrays, own, strict=True)):
                for variable, array in zip(own, arrays, strict=True):
                    variable.assign(array)
    except (TypeError, ValueError, RuntimeError) as error:
        raise FileFormatError(f"The state of metrics in {name} is damaged: {error}. Save the model again.") from None


def _streams(model: Layer) -> Iterator[tuple[str, Stream | SeedGenerator]]:
    for part in parts_of(model):
        if isinstance(part.owner, Layer):
            for attribute, value in vars(part.owner).items():
                held = getattr(value, "seed", None) if isinstance(value, Stream) else None
                stream = held if isinstance(held, SeedGenerator) else value
                if isinstance(stream, Stream | SeedGenerator):
                    yield join(part.path, attribute), stream


def _metrics(model: Layer) -> Iterator[tuple[str, list[np.ndarray[Any, Any]]]]:
    for metric in getattr(model, "metrics", ()):
        values = [variable.numpy() for variable in metric.variables]
        if values and sum(value.size for value in values) <= _MAX_NUMBERS:
            yield metric.name, values
