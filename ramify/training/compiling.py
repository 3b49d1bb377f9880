"""What `compile` sets: optimizer, losses, metrics, and how steps are run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ramify import losses, metrics, optimizers, registry
from ramify.errors import ArgumentError, NotCompiledError
from ramify.layers.layer import Layer
from ramify.training.compile_loss import CompileLoss
from ramify.training.compile_metrics import CompileMetrics
from ramify.training.engine import Engine
from ramify.training.engines import engine_for
from ramify.variables import Changes

_ARGUMENTS = (
    "optimizer loss loss_weights metrics weighted_metrics run_eagerly steps_per_execution jit_compile auto_scale_loss"
).split()


class Compiling(Layer):
    """A layer that knows what to minimise, how, and what to measure meanwhile."""

    optimizer: Any = None
    loss: Any = None
    compiled = False
    stop_training = False
    run_eagerly = False
    steps_per_execution = 1
    auto_scale_loss = True
    loss_mean: metrics.Mean
    compile_loss: CompileLoss | None = None
    compile_metrics: CompileMetrics | None = None
    memory_budget: float | None = None
    _jit_compile: Any = "auto"
    _engine: Engine | None = None
    _known_metrics: tuple[int, list[Any]] | None = None
    _compile_arguments: Mapping[str, Any] | None = None

    def compile(  # Keras's method; torch's own is `torch.compile(model)`
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
        memory_budget: float | None = None,
    ) -> None:
        """Say how the model is to be trained.

        Args:
            optimizer: a name, an `Optimizer`, or any optimizer of `torch.optim` (made, a class, or a partial of one).
            loss: a name, a `Loss`, a function of ``(y_true, y_pred)`` or a `torch.nn` loss. For several outputs one for
                all of them, a list in their order, a dict by their names, or nested as they are; ``None`` for an output
                that has no loss.
            loss_weights: numbers that the losses are multiplied with before they are added, in the same ways.
            metrics: names, `Metric`s or functions: a list for one output; for several a list with one entry (or list)
                for each, or a dict by their names.
            weighted_metrics: the same, of metrics that take the sample weights into account.
            run_eagerly: whether steps run operation by operation in any case.
            steps_per_execution: batches that are run between two calls of the callbacks.
            jit_compile: how steps are run. ``"auto"`` begins operation by operation, and replays steps from a recording
                where that proves to be faster on the job at hand; ``"captured"`` replays from the third step on;
                ``True`` lets `torch.compile` make the model's forward; ``False`` leaves all as it is.
            memory_budget: the most memory that intermediate results and gradients of a step may take at a time, in
                bytes, or up to 1 as a share of what they would take: what does not fit is computed again for the
                backward pass. The first three steps of each kind still run without it.
            auto_scale_loss: whether a model of the dtype policy ``"mixed_float16"`` gets its optimizer wrapped in a
                `LossScaleOptimizer`, without which small gradients become zero.

        Raises:
            ArgumentError: a name that nothing is known under, or an argument out of its range.

        Example:

        >>> import ramify
        >>> x = ramify.Input((4,))
        >>> model = ramify.Model(x, [ramify.layers.Dense(1, name="a")(x), ramify.layers.Dense(3, name="b")(x)])
        >>> model.compile("adam", {"a": "mse", "b": "mae"}, loss_weights={"a": 0.5}, metrics={"b": ["mse"]})
        >>> model.compiled
        True
        """
        given = locals()
        if not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ArgumentError(f"steps_per_execution must be a positive whole number, but is {steps_per_execution!r}.")
        own = self.__dict__
        own["optimizer"] = self._scaled(optimizers.get(optimizer)) if auto_scale_loss else optimizers.get(optimizer)
        own["loss"] = loss
        own["run_eagerly"] = bool(run_eagerly)
        own["steps_per_execution"] = steps_per_execution
        own["auto_scale_loss"] = auto_scale_loss
        own["_jit_compile"] = checked_jit_compile(jit_compile)
        own["memory_budget"] = checked_memory_budget(memory_budget)
        own["_compile_arguments"] = {name: given[name] for name in _ARGUMENTS}
        own["compiled"] = True
        own["stop_training"] = False
        self._set_up(loss, loss_weights, metrics, weighted_metrics)
        self._take_on_thawed()
        self._forget_functions()

    def _take_on_thawed(self) -> None:
        """An optimizer that has trained some of the weights goes on, with room for those that were frozen then."""
        if getattr(self.optimizer, "built", False):
            weights = self.trainable_weights
            if any(map(self.optimizer.knows, weights)):
                self.optimizer.extend(weights)

    def _scaled(self, optimizer: Any) -> Any:
        """An optimizer that scales the loss, where half precision asks for it."""
        bare = optimizer is not None and not isinstance(optimizer, optimizers.LossScaleOptimizer)
        if not bare or self.dtype_policy.name != "mixed_float16":
            return optimizer
        return optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")

    def _set_up(self, loss: Any, loss_weights: Any, given: Any, weighted: Any) -> None:
        own = self.__dict__
        names: Any = self.output_names if getattr(self, "has_graph", False) else None
        _check_names(loss)
        own["loss_mean"] = metrics.Mean(name="loss")
        own["compile_loss"] = None if loss is None else CompileLoss(loss, loss_weights, names)
        some = given is not None or weighted is not None
        own["compile_metrics"] = CompileMetrics(given, weighted, names) if some else None

    def _forget_functions(self) -> None:
        own = self.__dict__
        own["_engine"] = own["_loss_sources"] = own["_known_metrics"] = None
        own["train_function"] = own["test_function"] = own["predict_function"] = None

    @property
    def engine(self) -> Engine:
        """What runs the model's steps."""
        if self._engine is None:
            self.__dict__["_engine"] = engine_for(self)
        assert self._engine is not None
        return self._engine

    @property
    def jit_compile(self) -> bool:
        """Whether `torch.compile` makes the model's forward."""
        return self._jit_compile is True

    @jit_compile.setter
    def jit_compile(self, value: bool | str) -> None:
        self.__dict__["_jit_compile"] = checked_jit_compile(value)
        self._forget_functions()

    def require_compiled(self, method: str) -> None:
        """Raise a `NotCompiledError` where the model was not compiled."""
        if not self.compiled:
            raise NotCompiledError(
                f"{self.describe()} was not compiled, so `{method}` knows neither loss nor optimizer. Call "
                "`compile(optimizer=..., loss=...)` first."
            )

    # ---- metrics ----

    @property
    def metrics(self) -> list[Any]:
        """All metrics: that of the loss, those of `compile`, those of the outputs' losses, the model's own."""
        found: list[Any] = []
        if self.compiled:
            found.append(self.loss_mean)
            if self.compile_metrics is not None:
                found.append(self.compile_metrics)
            if self.compile_loss is not None:
                found.extend(self.compile_loss.metrics)
        return [*found, *self._metrics_of_layers()]

    def _metrics_of_layers(self) -> list[Any]:
        """The metrics that are attributes of layers; searched for again when any layer has changed."""
        known = self._known_metrics
        if known is None or known[0] != Changes.count:
            known = self.__dict__["_known_metrics"] = (Changes.count, super().metrics)
        return known[1]

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics`."""
        return [metric.name for metric in self.metrics]

    @property
    def metrics_variables(self) -> list[Any]:
        """The state of all metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def reset_metrics(self) -> None:
        """Forget what all metrics have gathered."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Name -> value of every metric, as tensors."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            if isinstance(value, dict):
                results.update(value)
            else:
                results[metric.name] = value
        return results

    # ---- configs ----

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile` as plain data; ``None`` for a model that was not compiled."""
        arguments = self._compile_arguments
        if not self.compiled or arguments is None:
            return None
        config = {name: registry.serialize(value) for name, value in arguments.items() if name != "optimizer"}
        jit = "auto" if self._jit_compile == "captured" else self._jit_compile  # Keras reads these files, too
        budget = {} if self.memory_budget is None else {"memory_budget": self.memory_budget}
        return {"optimizer": optimizers.serialize(self.optimizer), **config, "jit_compile": jit, **budget}

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compile with the arguments that `get_compile_config` gave, and make the optimizer's state.

        Args:
            config: what `get_compile_config` gave.
        """
        arguments = {name: _restored(value, _MODULE.get(name)) for name, value in config.items() if name in _ARGUMENTS}
        self.compile(**arguments, memory_budget=config.get("memory_budget"))
        if self.built and self.optimizer is not None:
            self.optimizer.build(self.trainable_weights)

    def __getstate__(self) -> dict[str, Any]:
        """Functions and caches do not travel: they are made again when they are needed."""
        gone = (
            *("training_run", "_engine", "_loss_sources", "_known_metrics"),
            *("train_function", "test_function", "predict_function"),
        )
        return {name: value for name, value in super().__getstate__().items() if name not in gone}


def checked_jit_compile(value: Any) -> bool | str:
    """`value` if it is a way to run steps, else an `ArgumentError`."""
    if value not in (True, False, None, "auto", "captured"):
        raise ArgumentError(f"jit_compile must be True, False, 'auto' or 'captured', but is {value!r}.")
    return bool(value) if value is None else value


def checked_memory_budget(value: Any) -> float | None:
    """`value` if it is a number of bytes or a share of them, else an `ArgumentError`."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0):
        raise ArgumentError(f"memory_budget must be a share up to 1, or a number of bytes, but is {value!r}.")
    return value


_MODULE = {
    "optimizer": "keras.optimizers",
    "loss": "keras.losses",
    "metrics": "keras.metrics",
    "weighted_metrics": "keras.metrics",
}


def _check_names(loss: Any) -> None:
    """A name that nothing is known under is an error at once, not with the first batch."""
    if isinstance(loss, str):
        losses.get(loss)
    elif isinstance(loss, (list, tuple)):
        for item in loss:
            _check_names(item)
    elif isinstance(loss, dict) and "class_name" not in loss:
        for item in loss.values():
            _check_names(item)


def _restored(value: Any, module: str | None) -> Any:
    """Objects out of their configs; names stay names."""
    if isinstance(value, Mapping):
        if "class_name" in value:
            return registry.deserialize(value, module, what=(module or "object").split(".")[-1])
        return {key: _restored(item, module) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_restored(item, module) for item in value]
    return value
