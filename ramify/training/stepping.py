"""The steps that a user may override, and those on single batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from ramify.callbacks.logs import to_numbers
from ramify.errors import ArgumentError
from ramify.graph.structure import flatten, map_leaves
from ramify.layers.layer import Layer
from ramify.passes.arrays import new_arrays
from ramify.training.compiling import Compiling
from ramify.training.data.arrays import checked
from ramify.training.data.batch import Placement, pack_x_y_sample_weight
from ramify.training.data.convert import is_plain, to_tensor
from ramify.training.engine import set_mode
from ramify.variables import Changes

Batches = Iterable[Any]
StepFunction = Callable[[Batches], Any]


class Stepping(Compiling):
    """A layer that can do one step of training, of evaluation and of prediction."""

    train_function: StepFunction | None = None
    test_function: StepFunction | None = None
    predict_function: StepFunction | None = None
    measures_itself = False
    _loss_sources: tuple[Any, ...] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.measures_itself = cls.compute_metrics is not Stepping.compute_metrics

    # ---- to override ----

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The number that is minimised: the weighted losses of `compile`, and what `add_loss` and regularizers add.

        Args:
            x: inputs of the batch.
            y: targets.
            y_pred: what the model made of `x`.
            sample_weight: weights of the samples.
            training: whether this is a step of training.

        Returns:
            A scalar tensor.

        Raises:
            ArgumentError: there is nothing to minimise, or a target is missing.
        """
        del x, training
        total = None if self.compile_loss is None else self.compile_loss(y, y_pred, sample_weight)
        for extra in self._extra_losses():
            total = extra if total is None else total + extra
        if total is None:
            raise ArgumentError(
                f"{self.describe()} has no loss to compute. Pass `loss=...` to `compile`, or use `add_loss` in a layer."
            )
        return total

    def _extra_losses(self) -> list[Any]:
        """What `add_loss` and weight regularizers add; nothing is searched where there is neither."""
        key = (self.built, len(self._modules))
        sources = self._loss_sources
        if sources is None or sources[0] != key:
            layers = [module for module in self.modules() if isinstance(module, Layer)]
            regular = any(getattr(weight, "regularizer", None) is not None for weight in self.parameters())
            sources = self.__dict__["_loss_sources"] = (key, regular, layers)
        if sources[1]:
            return self.losses
        for layer in sources[2]:
            if layer.__dict__["_losses"]:
                return self.losses
        return []

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Gather a batch in the metrics of `compile`.

        Args:
            x: inputs of the batch.
            y: targets.
            y_pred: what the model made of `x`.
            sample_weight: weights of the samples.

        Returns:
            What `get_metrics_result` gives.
        """
        del x
        if self.compile_metrics is not None:
            self.compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def train_step(self, data: Any) -> Mapping[str, Any]:
        """One step of training.

        Override it for a step of your own: call the model with ``training=True``, `compute_loss`, `backward`, and
        ``self.optimizer.apply(gradients, self.trainable_weights)``.

        Args:
            data: `x`, ``(x, y)`` or ``(x, y, sample_weight)``, tensors on the model's device.

        Returns:
            Name -> value, for logs and `History`.
        """
        return self._told(self.engine.train_batch(data))

    def test_step(self, data: Any) -> Mapping[str, Any]:
        """One step of evaluation; as `train_step`, without the optimizer.

        Args:
            data: `x`, ``(x, y)`` or ``(x, y, sample_weight)``.
        """
        return self._told(self.engine.test_batch(data))

    def predict_step(self, data: Any) -> Any:
        """The predictions for one batch.

        Args:
            data: `x`, ``(x, y)`` or ``(x, y, sample_weight)``.
        """
        return self.engine.predict_batch(data)

    def _told(self, logs: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return self.get_metrics_result() if logs is None else logs

    # ---- functions over batches ----

    def make_train_function(self, force: bool = False) -> StepFunction:
        """Make `train_function`, which does a step for each of some batches.

        Args:
            force: make it anew.

        Returns:
            A function of batches that returns the last step's logs, or ``None`` where `get_metrics_result` gives them.
        """
        if self.train_function is None or force:
            self.__dict__["train_function"] = _repeated(self._step_of("train_step", self.engine.train_batch))
        assert self.train_function is not None
        return self.train_function

    def make_test_function(self, force: bool = False) -> StepFunction:
        """Make `test_function`; see `make_train_function`."""
        if self.test_function is None or force:
            self.__dict__["test_function"] = _repeated(self._step_of("test_step", self.engine.test_batch))
        assert self.test_function is not None
        return self.test_function

    def make_predict_function(self, force: bool = False) -> StepFunction:
        """Make `predict_function`, a function of batches that returns the list of their predictions."""
        if self.predict_function is None or force:
            step = self._step_of("predict_step", self.engine.predict_batch)
            self.__dict__["predict_function"] = _Predictions(step)
        assert self.predict_function is not None
        return self.predict_function

    def _step_of(self, name: str, lean: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """The engine's step, which skips the logs; the user's where it is overridden."""
        step: Callable[[Any], Any] = lean if self._is_lean(name) else getattr(self, name)
        return step

    def _is_lean(self, name: str) -> bool:
        """Whether a step is the library's own, which an engine may run in any way."""
        return name not in self.__dict__ and getattr(type(self), name) is getattr(Stepping, name)

    @property
    def engine_report(self) -> dict[str, str]:
        """Which engine runs the steps, and why: ``"engine"``, ``"why"``, and an entry for each kind of batch seen.

        Example:

        >>> import numpy as np, ramify
        >>> x = ramify.Input((2,))
        >>> model = ramify.Model(x, ramify.layers.Dense(1)(x))
        >>> model.compile("sgd", "mse", jit_compile="captured")
        >>> _ = model.fit(np.ones((16, 2)), np.ones((16, 1)), batch_size=4, verbose=0)
        >>> for what, how in model.engine_report.items():
        ...     print(f"{what}: {how}")
        engine: captured
        why: see the kinds of batches
        training on (4, 2), (4, 1): replayed from a recording
        """
        if not self._is_lean("train_step"):
            return {"engine": "eager", "why": "`train_step` is overridden, and runs as it is written"}
        return self.engine.report()

    # ---- single batches ----

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One step of training; the metrics start anew and are those of this batch.

        Args:
            x: inputs: arrays or tensors, nested as the model takes them.
            y: targets.
            sample_weight: weights of the samples.
            class_weight: class -> weight of its samples.
            return_dict: return a dict instead of a list.

        Returns:
            The loss, or a list of the loss and the metrics; a dict with `return_dict`.

        Raises:
            NotCompiledError: the model was not compiled.
            ArgumentError: arrays of different lengths, or of which no tensor can be made.
        """
        self.require_compiled("train_on_batch")
        batch = self._one_batch(x, y, sample_weight, class_weight)
        self.reset_metrics()
        if self._is_lean("train_step") and self.engine.replay(batch, training=True):
            return self._results(None, return_dict)
        with self.mode(training=True):
            logs = self.make_train_function()([batch])
        return self._results(logs, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Loss and metrics of one batch; arguments and result are those of `train_on_batch`."""
        self.require_compiled("test_on_batch")
        batch = self._one_batch(x, y, sample_weight)
        self.reset_metrics()
        if self._is_lean("test_step") and self.engine.replay(batch, training=False):
            return self._results(None, return_dict)
        with self.mode(training=False), torch.no_grad():
            logs = self.make_test_function()([batch])
        return self._results(logs, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The predictions for one batch.

        Args:
            x: inputs: arrays or tensors, nested as the model takes them.

        Returns:
            Arrays, nested as the model's outputs.
        """
        known = self._by_plan(x)
        if known is not None:
            return known
        batch = self._one_batch(x)
        with self.mode(training=False), torch.no_grad():
            return new_arrays(self.make_predict_function()([batch])[0], flatten(batch))

    def _by_plan(self, x: Any, batch_size: int | None = None) -> Any:
        """The predictions for one batch of arrays where a plan is all there is to run; ``None`` elsewhere."""
        if self.training or not (self._is_lean("predict_step") and self._predicts_by_step()):
            return None
        parts = x if type(x) in (list, tuple) else (x,)
        size = len(parts[0]) if parts and _is_ready(parts[0]) else 0
        if not size or (batch_size is not None and size > batch_size):
            return None
        if len(parts) > 1 and not all(_is_ready(part) and len(part) == size for part in parts[1:]):
            return None
        inputs = [torch.from_numpy(part) for part in parts]
        outputs = self.engine.by_plan(inputs)
        return None if outputs is None else new_arrays(outputs, inputs)

    def _predicts_by_step(self) -> bool:
        """Whether predictions are those of `predict_step`, by no function of the user's."""
        plain = type(self).make_predict_function is Stepping.make_predict_function
        return plain and (self.predict_function is None or type(self.predict_function) is _Predictions)

    def _one_batch(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None) -> Any:
        placement = self.placement(class_weight)
        if sample_weight is None and class_weight is None:  # the commonest forms, without a search
            flat = [_arrays(x, "x"), _arrays(y, "y")]
            lengths = {array.shape[0] for part in flat for _, array in part or ()}
            if flat[0] and (flat[1] or y is None) and len(lengths) == 1:
                made = [[placement.send(to_tensor(array, name)) for name, array in part or ()] for part in flat]
                return pack_x_y_sample_weight(_like(x, made[0]), None if y is None else _like(y, made[1]))
        parts = checked(x, y, sample_weight, class_weight)
        return map_leaves(lambda leaf: None if leaf is None else placement.send(leaf), pack_x_y_sample_weight(*parts))

    def placement(self, class_weight: Any = None) -> Placement:
        """Where this model's data goes, and in which dtype."""
        return Placement(self.engine.device, self.variable_torch_dtype, class_weight)

    @contextmanager
    def mode(self, training: bool) -> Iterator[None]:
        """The modules in the mode for training or inference, and in the old one afterwards."""
        before = self.training
        if before is not training:
            Changes.modes += 1
            set_mode(self, training)
        try:
            yield
        finally:
            if self.training is not before:
                Changes.modes += 1
                set_mode(self, before)

    def _results(self, logs: Mapping[str, Any] | None, return_dict: bool) -> Any:
        """Numbers for the caller: the loss alone, or a list in Keras's order, or a dict."""
        if logs is None and type(self).get_metrics_result is Stepping.get_metrics_result and len(self.metrics) == 1:
            loss = self.loss_mean.as_number()
            return {"loss": loss} if return_dict else loss
        numbers = to_numbers(self._told(logs))
        if return_dict:
            return numbers
        first = ["loss"] + [metric.name for metric in getattr(self.compile_metrics, "metrics", ())]
        parts = [mean.name for mean in getattr(self.compile_loss, "metrics", ())]
        order = dict.fromkeys(name for name in (*first, *parts, *numbers) if name in numbers)
        values = [numbers[name] for name in order]
        return values[0] if len(values) == 1 else values


def _repeated(step: Callable[[Any], Any]) -> StepFunction:
    def function(batches: Batches) -> Any:
        logs = None
        for batch in batches:
            logs = step(batch)
        return logs

    return function


class _Predictions:
    """The library's own `predict_function`."""

    def __init__(self, step: Callable[[Any], Any]) -> None:
        self.step = step

    def __call__(self, batches: Batches) -> list[Any]:
        """The predictions of each batch."""
        return [self.step(batch) for batch in batches]


def _has_samples(value: Any) -> bool:
    """Whether a value is an array or tensor with a batch axis that is not empty."""
    return (type(value) is np.ndarray or isinstance(value, torch.Tensor)) and value.ndim > 0 and value.shape[0] > 0


def _is_ready(value: Any) -> bool:
    """Whether a value is an array of samples on whose memory a tensor can be."""
    return type(value) is np.ndarray and value.ndim > 0 and is_plain(value)


def _arrays(value: Any, name: str) -> list[tuple[str, Any]] | None:
    """One array, or those of a flat list, tuple or dict, each with how messages call it; ``None`` for whatever else."""
    if type(value) not in (list, tuple, dict):
        return [(name, value)] if _has_samples(value) else None
    items = value.items() if type(value) is dict else enumerate(value)
    parts = [(f"{name}[{key!r}]", part) for key, part in items]
    return parts if all(_has_samples(part) for _, part in parts) else None


def _like(value: Any, parts: list[Any]) -> Any:
    """The parts in the structure that `_arrays` took apart."""
    if type(value) is dict:
        return dict(zip(value, parts, strict=True))
    return type(value)(parts) if type(value) in (list, tuple) else parts[0]
