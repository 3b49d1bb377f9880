"""`CallbackList`: several callbacks behind the face of one; only those that override a hook are called for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ramify.callbacks.callback import Callback
from ramify.callbacks.history import History
from ramify.callbacks.logs import Logs
from ramify.callbacks.progress_logger import ProgbarLogger
from ramify.callbacks.torch_scheduler import Scheduler, TorchScheduler
from ramify.errors import ArgumentError

_ALSO = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class CallbackList:
    """The callbacks of one run.

    Args:
        callbacks: a callback, or nested lists of them.
        add_history: add a `History` where there is none.
        add_progbar: add a `ProgbarLogger` where there is none.
        model: handed on to every callback.
        **params: handed on to every callback: ``verbose``, ``epochs``, ``steps``.

    Raises:
        ArgumentError: something that is no callback.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        given = _flat(callbacks)
        self.callbacks: list[Any] = [TorchScheduler(c) if isinstance(c, Scheduler) else c for c in given]
        for callback in self.callbacks:
            if isinstance(callback, type) or not all(
                hasattr(callback, name) for name in ("set_model", "set_params", "on_epoch_end")
            ):
                hint = " Pass an object of it: write the parentheses." if isinstance(callback, type) else ""
                raise ArgumentError(
                    f"callbacks holds {callback!r:.80}, which is no callback.{hint or ' Derive it from Callback.'}"
                )
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        if add_history and not any(isinstance(c, History) for c in self.callbacks):
            self.callbacks.append(History())
        self._called: dict[str, list[Callable[..., None]]] = {}
        self._model = None
        self.set_model(model)
        self.set_params(params)

    @property
    def history(self) -> History | None:
        """The `History` among the callbacks."""
        return next((c for c in self.callbacks if isinstance(c, History)), None)

    @property
    def model(self) -> Any:
        """The model."""
        return self._model

    def set_model(self, model: Any) -> None:
        """Hand the model to every callback."""
        self._model = model
        for callback in self.callbacks if model is not None else ():
            callback.set_model(model)
        if isinstance(self.history, History) and model is not None:
            model.__dict__["history"] = self.history

    def set_params(self, params: dict[str, Any]) -> None:
        """Hand the parameters of the run to every callback."""
        self.params = params
        for callback in self.callbacks if params else ():
            callback.set_params(params)

    def append(self, callback: Any) -> None:
        """Add a callback."""
        self.callbacks.append(callback)
        self._called.clear()

    def __iter__(self) -> Any:
        return iter(self.callbacks)

    def hooks(self, name: str) -> list[Callable[..., None]]:
        """The bound methods that are to be called for a hook; empty where no callback overrides it."""
        found = self._called.get(name)
        if found is None:
            called = [c for c in self.callbacks if _overrides(c, name)]
            if name.endswith("_end"):
                called.sort(key=lambda c: bool(getattr(c, "ends_last", False)))
            found = self._called[name] = [getattr(c, name) for c in called]
        return found

    def state_dict(self) -> dict[str, Any]:
        """Class name, numbered where it repeats -> state of a callback, for those that have one."""
        named = {name: c.state_dict() for name, c in self._named() if callable(getattr(c, "state_dict", None))}
        return {name: state for name, state in named.items() if state}

    def load_state_dict(self, states: Mapping[str, Any]) -> None:
        """Give callbacks back their states; those that have none stay as they are."""
        for name, callback in self._named():
            if name in states:
                callback.load_state_dict(states[name])

    def _named(self) -> Iterable[tuple[str, Any]]:
        counts: dict[str, int] = {}
        for callback in self.callbacks:
            kind = type(callback).__name__
            counts[kind] = counts.get(kind, 0) + 1
            yield (kind if counts[kind] == 1 else f"{kind}_{counts[kind]}"), callback

    def on_exception(self, exception: BaseException) -> None:
        """`fit`, `evaluate` or `predict` is left by an exception. What callbacks raise now is noted on it."""
        for hook in self.hooks("on_exception"):
            try:
                hook(exception)
            except Exception as error:  # noqa: BLE001 -- the first exception is the one to be told
                exception.add_note(f"{type(_owner(hook)).__name__}.on_exception raised {error!r}.")

    def _call(self, name: str, *args: Any) -> None:
        for hook in self.hooks(name):
            hook(*args)

    def batch_end(self, name: str, batch: int, logs: Logs) -> None:
        """Call a hook at the end of a batch; logs are computed only where somebody may look at them."""
        called = self.hooks(name)
        if called and any(getattr(_owner(hook), "keeps_logs", True) for hook in called):
            logs.hold()
        for hook in called:
            hook(batch, logs)

    def on_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Another name for `on_train_batch_begin`."""
        self.on_train_batch_begin(batch, logs)

    def on_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Another name for `on_train_batch_end`."""
        self.on_train_batch_end(batch, logs)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """An epoch of `fit` starts."""
        self._call("on_epoch_begin", epoch, _dict(logs))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """An epoch of `fit` ends."""
        self._call("on_epoch_end", epoch, _dict(logs))

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """A training step starts."""
        self._call("on_train_batch_begin", batch, _dict(logs))

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """A training step ends."""
        self.batch_end("on_train_batch_end", batch, _lazy(logs))

    def on_test_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """A batch of evaluation starts."""
        self._call("on_test_batch_begin", batch, _dict(logs))

    def on_test_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """A batch of evaluation ends."""
        self.batch_end("on_test_batch_end", batch, _lazy(logs))

    def on_predict_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """A batch of prediction starts."""
        self._call("on_predict_batch_begin", batch, _dict(logs))

    def on_predict_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """A batch of prediction ends."""
        self._call("on_predict_batch_end", batch, _dict(logs))

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """`fit` starts."""
        self._call("on_train_begin", _dict(logs))

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """`fit` ends."""
        self._call("on_train_end", _dict(logs))

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Evaluation starts."""
        self._call("on_test_begin", _dict(logs))

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Evaluation ends."""
        self._call("on_test_end", _dict(logs))

    def on_predict_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Prediction starts."""
        self._call("on_predict_begin", _dict(logs))

    def on_predict_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Prediction ends."""
        self._call("on_predict_end", _dict(logs))


def _owner(hook: Callable[..., None]) -> Any:
    """The callback that a hook belongs to; the hook itself where it is a function in a `LambdaCallback`."""
    return getattr(hook, "__self__", hook)


def _flat(callbacks: Any) -> Iterable[Any]:
    if callbacks is None:
        return
    if isinstance(callbacks, (list, tuple)):
        for callback in callbacks:
            yield from _flat(callback)
    else:
        yield callbacks


def _overrides(callback: Any, name: str) -> bool:
    """Whether a callback does anything at a hook. Objects of other families are always asked."""
    if not isinstance(callback, Callback):
        return hasattr(callback, name)
    names = (name, _ALSO[name]) if name in _ALSO else (name,)
    own = vars(callback)
    return any(n in own or getattr(type(callback), n) is not getattr(Callback, n) for n in names)


def _dict(logs: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return {} if logs is None else logs


def _lazy(logs: Mapping[str, Any] | None) -> Logs:
    return logs if isinstance(logs, Logs) else Logs(_dict(logs))
