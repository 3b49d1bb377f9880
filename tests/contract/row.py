"""A row of the contract table, and what can be made of one: layers, inputs, calls."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import torch

import ramify
from tests.contract import draws


def normal(shape: tuple[int, ...]) -> np.ndarray:
    """Floating data; every layer that does not say otherwise gets this."""
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def indices(below: int) -> Callable[[tuple[int, ...]], np.ndarray]:
    """Whole numbers, for layers that look something up."""
    return lambda shape: np.random.default_rng(0).integers(0, below, size=shape).astype("int64")


def words(shape: tuple[int, ...]) -> np.ndarray:
    """Strings, for layers that look words up."""
    return np.random.default_rng(0).choice(["a", "b", "c"], size=shape)


def spatial(rank: int, size: int = 6, channels: int = 4) -> tuple[int, ...]:
    """The shape of a batch of images (sequences, volumes), all sizes different."""
    return (2, *(size + i for i in range(rank)), channels)


def inner(name: str, *args: Any, **kwargs: Any) -> Callable[[ModuleType], dict[str, Any]]:
    """Arguments with a layer inside, made by the library under test."""
    key = "cell" if name.endswith("Cell") else "layer"
    return lambda library: {key: getattr(library.layers, name)(*args, name="inside", **kwargs)}


@dataclass(frozen=True)
class Row:
    """A layer and how to call it. What is not said holds for most layers."""

    name: str
    """The class, in `ramify.layers` and in `keras.layers`."""
    args: Mapping[str, Any] | Callable[[ModuleType], Mapping[str, Any]] = field(default_factory=dict)
    """Constructor arguments; or, where they hold layers, a function of the library (`ramify`, `keras`) to them."""
    shapes: tuple[Any, ...] = ((2, 3),)
    """Alternative inputs, one for each rank: a shape with the batch, or a list of shapes, which may nest."""
    make: Callable[[tuple[int, ...]], np.ndarray] = normal
    """Shape -> data."""
    spread: bool = False
    """Whether a list of inputs is passed as ``layer(a, b)`` in place of ``layer([a, b])``."""
    known: tuple[int, ...] = (-1,)
    """Axes whose sizes must be known when the model is made."""
    call_args: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the call."""
    called: Mapping[str, Any] = field(default_factory=dict)
    """Hypothesis strategies for further arguments of the call."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Hypothesis strategies beyond those of `draws.py`, or in place of them: constructor argument -> values to draw."""
    keeps: Mapping[str, str] = field(default_factory=dict)
    """Constructor argument -> why it is not drawn."""
    moves: frozenset[str] = frozenset()
    """Names of weights that a training step changes although they are not trainable."""
    tolerance: tuple[float, str] = (1e-5, "")
    """How far results may be from Keras's; the reason where it is more than 1e-5."""
    random: bool = False
    """Training mode draws numbers: only inference is compared with Keras."""
    batch: bool = False
    """The size of the batch must be known, too."""
    exceptions: Mapping[str, str] = field(default_factory=dict)
    """Part of the contract -> why it does not hold, or why Keras is not the measure there."""

    def __str__(self) -> str:
        return self.name

    @property
    def drawn(self) -> dict[str, Any]:
        """Constructor argument -> values to draw."""
        if "options" in self.exceptions:
            return {}
        drawn = {**draws.options(getattr(ramify.layers, self.name)), **self.options}
        return {name: values for name, values in drawn.items() if name not in self.keeps}

    def is_random(self, changes: Mapping[str, Any]) -> bool:
        """Whether training mode draws numbers with these options."""
        return self.random or any(changes.get(name) for name in ("dropout", "recurrent_dropout"))

    def measure(self, library: ModuleType) -> ModuleType:
        """The library to hold the layer against: for one that Keras has not (`exceptions["keras"]`), this one."""
        return ramify if "keras" in self.exceptions else library

    def layer(self, library: ModuleType = ramify, **changes: Any) -> Any:
        """A fresh layer of `ramify`, or of `keras`."""
        library = self.measure(library)
        args = self.args(library) if callable(self.args) else self.args
        return getattr(library.layers, self.name)(**{"name": "it", **args, **changes})

    def data(self, shapes: Any) -> Any:
        """Arrays of the shapes, nested alike."""
        return nested(self.make, shapes)

    def tensors(self, shapes: Any, *, gradient: bool = False) -> Any:
        """Tensors of the shapes, no two alike; floating ones ask for gradients where wished."""
        turns = itertools.count()

        def tensor(shape: tuple[int, ...]) -> Any:
            data = np.roll(self.make(shape), next(turns))
            if data.dtype.kind == "U":  # torch has no strings
                return data
            made = torch.as_tensor(data)
            return made.requires_grad_() if gradient and made.is_floating_point() else made

        return nested(tensor, shapes)

    def symbols(self, shapes: Any, library: ModuleType = ramify, *, sized: bool = True) -> Any:
        """Symbolic inputs: the batch unknown, and without `sized` all that need not be known."""

        library = self.measure(library)

        def symbol(shape: tuple[int, ...]) -> Any:
            known = {axis % len(shape) for axis in self.known if -len(shape) <= axis < len(shape)}
            kept = [size if sized or axis in known else None for axis, size in enumerate(shape)]
            kept[0] = shape[0] if self.batch else None
            return library.Input(batch_shape=tuple(kept), dtype=str(self.make((1,) * len(shape)).dtype))

        return nested(symbol, shapes)

    def call(self, layer: Any, inputs: Any, **kwargs: Any) -> list[Any]:
        """The outputs of a call, as a flat list; layers that draw numbers are called for inference unless told."""
        kwargs = {**self.call_args, **kwargs}
        if self.random and "training" not in kwargs and isinstance(flat(inputs)[0], torch.Tensor):
            kwargs["training"] = False
        outputs = layer(*inputs, **kwargs) if self.spread else layer(inputs, **kwargs)
        return flat(outputs)

    def both(self, ours: Any, theirs: Any, pairs: tuple[Any, Any], **called: Any) -> tuple[list[Any], list[Any]]:
        """The outputs here and in Keras; an image layer is given here what Keras drew."""
        mine, other = pairs
        if called["training"] and self.random:
            drawn = theirs.get_random_transformation(other, training=True)
            want = theirs.transform_images(other, drawn, training=True)
            return flat(ours.transform_images(mine, drawn, training=True)), flat(want)
        return self.call(ours, mine, **called), self.call(theirs, other, **called)

    def model(self, shapes: Any, **changes: Any) -> ramify.Model:
        """The smallest functional model with the layer in it."""
        inputs = self.symbols(shapes)
        outputs = self.call(self.layer(**changes), inputs)
        return ramify.Model(flat(inputs), outputs[0] if len(outputs) == 1 else outputs)

    def twins(self, shapes: Any, keras: ModuleType, **changes: Any) -> tuple[Any, Any]:
        """The layer here and in Keras, built for the shapes, with the same weights."""
        ours, theirs = self.layer(**changes), self.layer(keras, **changes)
        self.call(theirs, self.tensors(shapes))
        self.call(ours, self.tensors(shapes))
        rng = np.random.default_rng(0)
        values = [np.asarray(w, dtype=w.dtype) for w in theirs.get_weights()]
        values = [w + rng.uniform(0.1, 0.5, w.shape).astype(w.dtype) if w.dtype.kind == "f" else w for w in values]
        theirs.set_weights(values)
        ours.set_weights(values)
        fresh(ours, theirs)
        return ours, theirs


def fresh(*layers: Any) -> None:
    """Stateful layers start from zeros."""
    for layer in layers:
        if getattr(layer, "stateful", False):
            layer.reset_state()


def nested(make: Callable[[Any], Any], shapes: Any) -> Any:
    """`make` of every shape in nested lists."""
    return [nested(make, shape) for shape in shapes] if isinstance(shapes, list) else make(shapes)


def flat(values: Any) -> list[Any]:
    """The leaves of nested lists and tuples."""
    if not isinstance(values, (list, tuple)):
        return [values]
    return [leaf for value in values for leaf in flat(value)]
