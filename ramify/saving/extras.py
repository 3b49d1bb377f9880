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
from ramify.saving.metadata import own
from ramify.saving.parts import join, parts_of
from ramify.seeds import Stream

RANDOM, METRICS, COMPILED = "random", "metrics", "compile_metrics"
_MAX_NUMBERS = 10_000


def state_of(model: Any) -> dict[str, Any]:
    """Random and metric state as plain data."""
    streams = {path: _drawn(stream) for path, stream in _streams(model)}
    metrics = dict(_plain({one.name: list(one.variables) for one in _metrics(model)}))
    compiled = dict(_plain(_compiled(model)))
    found = {RANDOM: {path: state for path, state in streams.items() if state}, METRICS: metrics, COMPILED: compiled}
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


def restore_metrics(model: Any, data: Mapping[str, Any], name: str) -> None:
    """Let metrics go on from what they had gathered, those whose state has the same shapes.

    Args:
        model: the model.
        data: the metadata of its file.
        name: what the file is called.

    Raises:
        FileFormatError: the state is damaged.
    """
    states, compiled = own(data, METRICS), _sound(own(data, COMPILED), name)
    losses = getattr(model, "compile_loss", None)
    if losses is not None and losses.waits and model.has_graph:
        losses.build(model.output)  # the means of several losses
    for metric in _metrics(model):
        values, variables = _sound(states, name).get(metric.name), list(metric.variables)
        if values is not None and [v.shape for v in values] == [tuple(v.shape) for v in variables]:
            for variable, array in zip(variables, values, strict=True):
                variable.assign(array)
    if compiled and getattr(model, "compile_metrics", None) is not None:
        model.compile_metrics.await_state(compiled)


def _sound(states: Mapping[str, Any], name: str) -> dict[str, list[np.ndarray[Any, Any]]]:
    try:
        return {key: [_numbers(value) for value in values] for key, values in states.items()}
    except (TypeError, ValueError, OverflowError) as error:
        raise FileFormatError(f"The state of metrics in {name} is damaged: {error}. Save the model again.") from None


def _numbers(value: Any) -> np.ndarray[Any, Any]:
    array = np.asarray(value)
    return array.astype(array.dtype if array.dtype.kind in "bi" else np.float64, casting="safe")


def _streams(model: Layer) -> Iterator[tuple[str, Stream | SeedGenerator]]:
    for part in parts_of(model):
        if isinstance(part.owner, Layer):
            for attribute, value in vars(part.owner).items():
                held = getattr(value, "seed", None) if isinstance(value, Stream) else None
                stream = held if isinstance(held, SeedGenerator) else value
                if isinstance(stream, Stream | SeedGenerator):
                    yield join(part.path, attribute), stream


def _metrics(model: Any) -> list[Any]:
    """The metrics but those of `compile`, which the first batch makes."""
    return [one for one in getattr(model, "metrics", ()) if one is not getattr(model, "compile_metrics", None)]


def _compiled(model: Any) -> dict[str, list[Any]]:
    compiled = getattr(model, "compile_metrics", None)
    return {} if compiled is None else compiled.gathered()


def _plain(states: Mapping[str, list[Any]]) -> Iterator[tuple[str, list[Any]]]:
    for name, variables in states.items():
        values = [variable.numpy() for variable in variables]
        if values and sum(value.size for value in values) <= _MAX_NUMBERS:
            yield name, [value.tolist() for value in values]
