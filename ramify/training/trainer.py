"""`Trainer`: `fit`, `evaluate` and `predict`, the loops over epochs and batches."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from ramify import settings
from ramify.callbacks import CallbackList, History
from ramify.callbacks.logs import Logs, flat_sorted, to_numbers
from ramify.errors import ArgumentError
from ramify.graph.structure import flatten
from ramify.heap import give_back_freed_memory
from ramify.passes.arrays import apart, new_arrays
from ramify.passes.plans import Plans
from ramify.training.collect import Collected
from ramify.training.data import DataAdapter, adapter_for, take_apart
from ramify.training.feed import Feed
from ramify.training.run import Run, Validation
from ramify.training.state_tree import StateTree
from ramify.training.stepping import StepFunction
from ramify.training.tracebacks import filtered

_NOTHING = "The data gave no batches to {}. Check how it was made, or whether it was used up."


class Trainer(StateTree):
    """A layer that can be trained on data, evaluated, and asked for predictions."""

    history: History | None = None
    training_run: Run | None = None
    """The `fit` that is under way, for callbacks that ask where it stands."""

    @filtered
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[Any, Any] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Collection[int] = 1,
    ) -> History:
        """Train for some epochs.

        Args:
            x: inputs: arrays, tensors or data frames with samples along the first axis, nested as the model takes them,
                ``None`` in the place of an optional input;
                or a `PyDataset`, a torch `Dataset` or `DataLoader`, a generator or other iterable, each of which brings
                its own targets; or a table such as those of Hugging Face's `datasets`.
            y: targets, nested as the outputs are, in their order, or by their names. For a table, the names of its
                columns that are targets; ``"label"`` and the like when ``None``.
            batch_size: samples in a batch; 32 when ``None``.
            epochs: number of the last epoch.
            verbose: 0 silent, 1 progress bar, 2 one line per epoch; ``"auto"`` is 1.
            callbacks: a list of `Callback`s.
            validation_split: share of the samples, the last ones before shuffling, that is kept for validation.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)``, or a source of batches.
            shuffle: whether every epoch has an order of its own.
            class_weight: class -> weight of its samples in the loss; a dict of such dicts by output name.
            sample_weight: weight of each sample in the loss, one array or nested as `y` is.
            initial_epoch: number of epochs done before.
            steps_per_epoch: batches in an epoch; as many as the data has when ``None``.
            validation_steps: batches of validation; as many as the data has when ``None``.
            validation_batch_size: samples in a batch of validation; `batch_size` when ``None``.
            validation_freq: validate after every so many epochs, or after the epochs (from 1) of a list.

        Returns:
            The `History`, with the metrics of every epoch.

        Raises:
            NotCompiledError: the model was not compiled.
            ArgumentError: data that does not fit: lengths that differ, no samples, missing targets, unknown names.

        Example:

        >>> import numpy as np, ramify
        >>> a = ramify.Input((2,))
        >>> model = ramify.Model(a, ramify.layers.Dense(1)(a))
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=3, verbose=0)
        >>> len(history.history["loss"])
        3
        """
        self.require_compiled("fit")
        weights = sample_weight
        if validation_split and validation_data is None:
            (x, y, weights), validation_data = take_apart(x, y, sample_weight, validation_split)
        data = adapter_for(
            x, y, weights, placement=self.placement(class_weight), batch_size=batch_size, shuffle=shuffle
        )
        most = settings.max_steps_per_epoch()
        feed = Feed(data, steps_per_epoch, limit=most)
        validation = None
        if validation_data is not None:
            source = self._validation_source(validation_data, validation_batch_size or batch_size)
            validation = Validation(Feed(source, validation_steps, "validation_steps", most), validation_freq)
        epochs = settings.at_most(epochs, settings.max_epochs()) or 0
        calls = self._callbacks(callbacks, verbose, epochs=epochs, steps=feed.num_batches, history=True)
        run = self.__dict__["training_run"] = Run(self, feed, validation, calls, initial_epoch, epochs)
        try:
            with self.mode(training=True), self._repeatable(calls), _telling(calls):
                self._run_epochs(run)
        finally:
            self.__dict__["training_run"] = None
            give_back_freed_memory()
        assert calls.history is not None  # it was added
        return calls.history

    @contextmanager
    def _repeatable(self, calls: CallbackList) -> Iterator[None]:
        """Where a run may be resumed, no step is chosen by its speed: another choice rounds differently."""
        if self._jit_compile != "auto" or not any(callable(getattr(c, "resume_point", None)) for c in calls):
            yield
            return
        self.jit_compile, off, Plans.off = False, Plans.off, True
        try:
            yield
        finally:
            self.jit_compile, Plans.off = "auto", off

    def _run_epochs(self, run: Run) -> None:
        feed, calls = run.feed, run.calls
        self.__dict__["stop_training"] = False
        self._refresh()
        function = self.make_train_function()
        run.find()
        calls.on_train_begin()
        if run.resuming and not run.step:
            run.load()
        going_on = not (run.resumed and self.stop_training)
        first = run.epoch
        for epoch in range(first, run.epochs) if going_on else ():
            self.engine.begin_epoch()
            if run.step:  # in the middle of an epoch: hooks prepare callbacks, and what they change is set back
                calls.on_epoch_begin(epoch)
                run.load()
            else:
                self.reset_metrics()
                calls.on_epoch_begin(epoch)
            told, steps = self._run_epoch(run, function)
            logs = to_numbers(told)
            if feed.num_batches is None and feed.steps is None and not feed.data.endless:
                feed.num_batches = calls.params["steps"] = steps
            if not self._went_well(feed, epoch, steps):
                break
            if run.validation is not None and run.validation.due(epoch):
                with self.mode(training=False):
                    found = self._run_evaluation(run.validation.feed, calls)
                logs.update({f"val_{name}": value for name, value in found.items()})
                order = flat_sorted({**told, **{name: None for name in logs if name.startswith("val_")}})
                logs = {name: logs[name] for name in order}
            run.epoch, run.step, run.logs = epoch + 1, 0, logs
            calls.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        if hasattr(self.optimizer, "finalize_variable_values") and (run.resumed or first < run.epochs):
            self.optimizer.finalize_variable_values(self.trainable_weights)
        calls.on_train_end(run.logs)

    def _run_epoch(self, run: Run, function: StepFunction) -> tuple[Mapping[str, Any], int]:
        """The steps of one epoch, or what is left of it: its metrics, and how many steps it has in all."""
        if run.step and self.stop_training:
            return self._told(run.made), run.step
        made, steps = self._run_batches("train", function, run.feed.epoch(run.step), run.calls, run)
        return self._told(made), steps

    def _run_batches(
        self, kind: str, function: StepFunction, batches: Iterator[Any], calls: CallbackList, run: Run | None = None
    ) -> tuple[Any, int]:
        """The steps of one epoch.

        Returns:
            What the last step returned, and how many there were.
        """
        begin, end = calls.hooks(f"on_{kind}_batch_begin"), calls.hooks(f"on_{kind}_batch_end")
        size = self.steps_per_execution
        logs, step = (None, 0) if run is None else (run.made if run.step else None, run.step)
        while group := list(itertools.islice(batches, size)):
            if begin:
                (calls.on_train_batch_begin if kind == "train" else calls.on_test_batch_begin)(step)
            logs = function(group)
            step += len(group)
            if run is not None:
                run.step, run.made = step, logs
            if end:
                told = Logs(self.get_metrics_result if logs is None else logs)
                calls.batch_end(f"on_{kind}_batch_end", step - 1, told)
            if run is not None and self.stop_training:
                break
        return logs, step

    def _went_well(self, feed: Feed, epoch: int, steps: int) -> bool:
        """Warn where the data ran out; false where there was none at all."""
        wanted = feed.num_batches
        if not self.stop_training and (steps == 0 or (wanted is not None and steps < wanted)):
            warnings.warn(
                f"The data ran out in epoch {epoch + 1} after {steps} of {wanted if wanted is not None else 'some'} "
                "batches, and training stops. A generator is used up once; pass a PyDataset or a DataLoader, "
                "let it go on for ever with `steps_per_epoch`, or lower `epochs`.",
                stacklevel=4,
            )
            self.__dict__["stop_training"] = True
        return steps > 0

    @filtered
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics on data.

        Args:
            x: inputs, or a source of batches, as in `fit`.
            y: targets.
            batch_size: samples in a batch; 32 when ``None``.
            verbose: 0 silent, 1 progress bar, 2 one line; ``"auto"`` is 1.
            sample_weight: weights of the samples.
            steps: batches; as many as the data has when ``None``.
            callbacks: a list of `Callback`s.
            return_dict: return a dict instead of a list.
            **kwargs: none are known; they are refused.

        Returns:
            The loss, or a list of the loss and the metrics; a dict with `return_dict`.

        Raises:
            NotCompiledError: the model was not compiled.
            ArgumentError: data that does not fit.
        """
        self.require_compiled("evaluate")
        if kwargs:
            raise ArgumentError(f"evaluate has no argument {', '.join(map(repr, kwargs))}. Leave it out.")
        data = adapter_for(x, y, sample_weight, placement=self.placement(), batch_size=batch_size)
        feed = Feed(data, steps, "steps", settings.max_steps_per_epoch())
        calls = self._callbacks(callbacks, verbose, epochs=1, steps=feed.num_batches)
        self._refresh()
        with self.mode(training=False), _telling(calls):
            return self._results(self._run_evaluation(feed, calls), return_dict)

    def _run_evaluation(self, feed: Feed, calls: CallbackList) -> dict[str, Any]:
        function = self.make_test_function()
        self.reset_metrics()
        calls.on_test_begin()
        with torch.no_grad():
            made, steps = self._run_batches("test", function, feed.epoch(), calls)
        if not steps:
            raise ArgumentError(_NOTHING.format("evaluate"))
        logs = to_numbers(self._told(made))
        calls.on_test_end(logs)
        return logs

    @filtered
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """What the model makes of data.

        Args:
            x: inputs, or a source of batches, as in `fit`.
            batch_size: samples in a batch; 32 when ``None``.
            verbose: 0 silent, 1 progress bar, 2 one line; ``"auto"`` shows a bar if it takes more than a second.
            steps: batches; as many as the data has when ``None``.
            callbacks: a list of `Callback`s.

        Returns:
            NumPy arrays, nested as the model's outputs.

        Raises:
            ArgumentError: data that does not fit.
        """
        alone = callbacks is None and steps is None and verbose in ("auto", 0) and self._predicts_by_step()
        if alone and (known := self._by_plan(x, batch_size or 32)) is not None:
            return known
        with self.mode(training=False), torch.no_grad():
            if alone and _is_small(x, batch_size or 32):
                step, batch = self._step_of("predict_step", self.engine.predict_batch), self._one_batch(x)
                return new_arrays(step(batch), flatten(batch))
            data = adapter_for(x, placement=self.placement(), batch_size=batch_size)
            feed = Feed(data, steps, "steps", settings.max_steps_per_epoch())
            calls = self._callbacks(callbacks, verbose, epochs=1, steps=feed.num_batches)
            with _telling(calls):
                return self._run_prediction(feed, calls)

    def _run_prediction(self, feed: Feed, calls: CallbackList) -> Any:
        function = self.make_predict_function()
        collected = Collected()
        calls.on_predict_begin()
        begin, end = calls.hooks("on_predict_batch_begin"), calls.hooks("on_predict_batch_end")
        batches, step, size = feed.epoch(), 0, self.steps_per_execution
        while group := list(itertools.islice(batches, size)):
            if begin:
                calls.on_predict_batch_begin(step)
            outputs = function(group)
            for output in outputs:
                collected.add(apart(output, flatten(group)))
            step += len(group)
            if end:
                calls.on_predict_batch_end(step - 1, {"outputs": outputs[-1]})
        calls.on_predict_end()
        if not step:
            raise ArgumentError(_NOTHING.format("predict"))
        return collected.arrays()

    # ---- what the loops share ----

    @property
    def is_complete(self) -> bool:
        """Whether all is there that the first training step makes: weights, the optimizer's state, metrics."""
        parts = (self.optimizer, self.compile_loss, self.compile_metrics)
        return bool(self.built) and all(part is None or part.built for part in parts)

    def _refresh(self) -> None:
        """Layers may have been frozen, added or taken away since the last run."""
        self.__dict__["_loss_sources"] = self.__dict__["_known_metrics"] = None
        self.engine.refresh()

    def _validation_source(self, given: Any, batch_size: int | None) -> DataAdapter:
        """The batches of `validation_data`."""
        parts = (given, None, None)
        if isinstance(given, (tuple, list)):
            if len(given) not in (2, 3):
                raise ArgumentError(f"validation_data is (x, y) or (x, y, sample_weight), but has {len(given)} parts.")
            parts = (*given, None)[:3]
        return adapter_for(*parts, placement=self.placement(), batch_size=batch_size)

    def _callbacks(
        self, callbacks: Any, verbose: str | int, *, epochs: int, steps: int | None, history: bool = False
    ) -> CallbackList:
        if verbose not in ("auto", 0, 1, 2):
            raise ArgumentError(f"verbose must be 0, 1, 2 or 'auto', but is {verbose!r}.")
        if isinstance(callbacks, CallbackList):
            return callbacks
        return CallbackList(callbacks, history, verbose != 0, model=self, verbose=verbose, epochs=epochs, steps=steps)


@contextmanager
def _telling(calls: CallbackList) -> Iterator[None]:
    """Tell the callbacks of an exception on its way out."""
    try:
        yield
    except BaseException as error:
        calls.on_exception(error)
        raise


def _is_small(x: Any, batch_size: int) -> bool:
    """Whether data is one array, or a list, tuple or dict of arrays of one length, that makes one batch."""
    parts = x.values() if type(x) is dict else x if type(x) in (list, tuple) else (x,)
    if not all(isinstance(part, (np.ndarray, torch.Tensor)) and part.ndim > 0 for part in parts):
        return False
    lengths = {part.shape[0] for part in parts}
    return len(lengths) == 1 and 0 < lengths.pop() <= batch_size
