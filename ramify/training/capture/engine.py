"""`CapturedEngine`: steps that were recorded once and are replayed."""

from __future__ import annotations

import logging
import operator
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from ramify.optimizers.gradients import prepare
from ramify.training.capture.cuda import as_graph
from ramify.training.capture.fitness import hooks_of, is_ours, why_not
from ramify.training.capture.generate import function_of
from ramify.training.capture.internals import below_autograd
from ramify.training.capture.program import Program
from ramify.training.capture.record import Recorder, difference
from ramify.training.capture.rewrite import rewrite
from ramify.training.capture.signature import Key, signature
from ramify.training.data.batch import unpack_x_y_sample_weight
from ramify.training.engine import EagerEngine, Engine, StepLogs
from ramify.variables import Changes

log = logging.getLogger("ramify.training")

_TRIES = 3
_CHANGES = 16
"""Recordings that may go out of date before a kind of step is left alone."""
_WORTH_CHECKING = 50
"""Replayed steps that a comparison with a real one must be worth."""
_MOST = 8
"""Kinds of batches that get a recording; others run operation by operation."""

Step = Callable[[list[torch.Tensor]], None]


@dataclass
class Kind:
    """All that is known of the steps of one kind: of training or evaluation, on batches of one form.

    Attributes:
        done: steps that were run operation by operation.
        step: replays the recording; ``None`` as long as there is none.
        why: why there will be none.
        recorded: the last recording, to compare the next one with.
        guard: tells whether what the recording took for granted still holds.
        tries: recordings made in a row.
        changes: how often the recording was out of date.
        replayed: steps replayed since the last comparison with a real one.
        stale: whether such a comparison is due.
        times: seconds of steps by operation, and of replayed ones.
        settled: whether it was decided which way is faster.
    """

    training: bool
    form: str
    done: int = 0
    step: Step | None = None
    why: str = ""
    recorded: Program | None = None
    guard: Callable[[], bool] | None = None
    tries: int = 0
    changes: int = 0
    replayed: int = 0
    stale: bool = False
    times: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    settled: bool = False


class CapturedEngine(Engine):
    """Replays steps as flat lists of operations: no autograd, no modules, no bookkeeping in between.

    A recording is made of two real steps that did the same. What is not the same in both (other operations, other
    arguments, random numbers from a generator made anew) or cannot be seen (numbers read by Python code, tensors put
    away) stays with `EagerEngine`, and `report` says why. The optimizer's formula runs as it is written, so that rates,
    schedules, counts and scales may change at any time.

    Args:
        model: the compiled model.
        eager_steps: steps of each kind before the first is recorded; at least 1, in which state is created.
        measure: whether replaying must prove to be faster on the job at hand.
        memory_budget: bytes, or share of the bytes, that a step's intermediate results may take.
    """

    def __init__(
        self, model: Any, eager_steps: int = 1, measure: bool = False, memory_budget: float | None = None
    ) -> None:
        super().__init__(model)
        self.eager = EagerEngine(model)
        self.eager_steps, self.measured, self.memory_budget = max(eager_steps, 1), measure, memory_budget
        self._kinds: dict[Key, Kind] = {}
        self._ours: bool | None = None
        self._in_epochs = False

    @property
    def device(self) -> torch.device:
        """Where the model's weights are."""
        return self.eager.device

    def refresh(self) -> None:
        """Look again at which weights the model has."""
        self.eager.refresh()
        self.begin_epoch()

    def begin_epoch(self) -> None:
        """Compare recordings of the user's code with a real step again: it may read what has changed."""
        self._in_epochs = True
        if not self._kinds or self._only_ours():
            return
        for kind in self._kinds.values():
            if kind.step is not None and kind.replayed < _WORTH_CHECKING and self.measured:
                kind.why = "user code would have to be checked after too few steps"
                kind.step, kind.settled = None, True
            kind.stale, kind.replayed = kind.step is not None, 0

    def _only_ours(self) -> bool:
        if self._ours is None:
            self._ours = is_ours(self.model)
        return self._ours

    def train_batch(self, data: Any) -> StepLogs:
        """Forward, losses, backward, optimizer, metrics."""
        return self._run(data, training=True)

    def test_batch(self, data: Any) -> StepLogs:
        """Forward, losses, metrics."""
        return self._run(data, training=False)

    def replay(self, data: Any, training: bool) -> bool:
        """Replay a step, where the recording for this kind of batch is at hand and holds."""
        self._in_epochs = False
        form = signature(data)
        kind = None if form is None else self._kinds.get((training, *form[0]))
        if kind is None or form is None or kind.step is None or not kind.settled or kind.stale:
            return False
        if kind.guard is None or not kind.guard():
            return False
        kind.step(form[1])
        return True

    def predict_batch(self, data: Any) -> Any:
        """Forward."""
        return self.eager.predict_batch(data)

    def by_plan(self, inputs: list[torch.Tensor]) -> Any:
        """The outputs by a plan of earlier calls."""
        return self.eager.by_plan(inputs)

    # ---- the way of a step ----

    def _run(self, data: Any, training: bool) -> StepLogs:
        form = signature(data)
        if form is None:
            return self._eagerly(data, training)
        key = (training, *form[0])
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = Kind(training, _words(training, form[1]))
            if len(self._kinds) > _MOST:
                kind.why, kind.settled = "there are too many kinds of batches", True
        if kind.step is not None:
            if kind.stale or not (kind.guard and kind.guard()):
                return self._again(kind, data, form[1])
            kind.replayed += 1
            if kind.settled:
                kind.step(form[1])
                return None
            return self._timed(kind, 1, lambda: kind.step(form[1]))  # type: ignore[misc]  # it is there
        if kind.why or kind.done < self.eager_steps:
            if kind.settled or not self.measured:
                kind.done += 1
                return self._eagerly(data, training)
            return self._timed(kind, 0, lambda: self._eagerly(data, training))
        return self._record(kind, data, form[1])

    def _eagerly(self, data: Any, training: bool) -> StepLogs:
        return self.eager.train_batch(data) if training else self.eager.test_batch(data)

    def _timed(self, kind: Kind, way: int, step: Callable[[], StepLogs]) -> StepLogs:
        """A step whose time is noted; after enough of them the faster way is taken for good."""
        waits = self.device.type == "cuda"
        if waits:
            torch.cuda.synchronize()
        start = time.perf_counter()
        logs = step()
        if waits:
            torch.cuda.synchronize()
        kind.times[way].append(time.perf_counter() - start)
        kind.done += 1
        if len(kind.times[1]) >= self.eager_steps:
            self._settle(kind)
        return logs

    def _settle(self, kind: Kind) -> None:
        kind.settled = True
        if not self.measured:
            return
        eager, captured = (sorted(times)[len(times) // 4] for times in kind.times)
        ratio = eager / captured
        if ratio < 1.03:
            kind.step, kind.recorded = None, None
            kind.why = f"replaying takes {1 / ratio:.2f} times as long here"
        log.info("%s of %s: %s (%.2f times as fast as step by step)", *_told(kind), ratio)

    def _again(self, kind: Kind, data: Any, tensors: list[torch.Tensor]) -> StepLogs:
        """The recording may be out of date: a real step is recorded and compared with it."""
        if not kind.stale:
            kind.changes += 1
        known, kind.stale, kind.tries = kind.recorded, False, 0
        kind.step = kind.guard = None
        if kind.changes > _CHANGES:
            kind.why = "the model is changed between steps again and again"
            return self._given_up(kind, data)
        return self._record(kind, data, tensors, known)

    # ---- recording ----

    def _record(self, kind: Kind, data: Any, tensors: list[torch.Tensor], known: Program | None = None) -> StepLogs:
        """A real step under the eyes of a recorder; the second of a kind that is like the first becomes the program."""
        kind.why = why_not(self.model, kind.training) or ""
        if self.measured and not self._in_epochs and not self._only_ours():
            kind.why = "user code may read what changes between steps; jit_compile='captured' replays it all the same"
        if kind.why:
            return self._given_up(kind, data)
        before, kind.recorded = kind.recorded if known is None else known, None
        kind.tries += 1
        recorder, gradients, trained = self._watched(data, tensors, kind.training)
        if recorder.problem is not None:
            kind.why = recorder.problem
        else:
            program = recorder.program([gradient for gradient in gradients if gradient is not None])
            other = None if before is None else difference(before, program)
            if before is not None and other is None:
                kind.why = recorder.escaped({id(gradient) for gradient in gradients}) or ""
                if not kind.why:
                    own = [w for w, g in zip(trained, gradients, strict=True) if g is not None]
                    self._take(kind, program, own, tensors)
            elif before is not None and kind.tries >= _TRIES:
                kind.why = other or ""
            kind.recorded = program
        if kind.training and trained:
            self.model.optimizer.apply(gradients, trained)
        if kind.why:
            self._say_why(kind)
        return None

    def _given_up(self, kind: Kind, data: Any) -> StepLogs:
        self._say_why(kind)
        return self._eagerly(data, kind.training)

    def _say_why(self, kind: Kind) -> None:
        kind.settled = True
        log.info("%s of %s: %s", *_told(kind))

    def _watched(self, data: Any, tensors: list[torch.Tensor], training: bool) -> tuple[Recorder, list[Any], list[Any]]:
        """One step up to its gradients: what was done in it, the gradients and what they belong to."""
        scale = self._scale() if training else []
        recorder = Recorder([*tensors, *scale])
        gradients: list[Any] = []
        weights = self.eager.trainable() if training else []
        for weight in weights:
            weight.grad = None
        with recorder:
            x, y, sample_weight = unpack_x_y_sample_weight(data)
            y_pred, loss = self.eager.loss_of(x, y, sample_weight, training)
            if weights:
                recorder.turn_back()
                torch.autograd.backward(loss, scale[0].to(loss.dtype) if scale else None)
                found = [weight for weight in weights if weight.grad is not None]
                ready = dict(zip(map(id, found), prepare([w.grad for w in found], found), strict=True))
                gradients = [ready.get(id(weight)) for weight in weights]
            with torch.no_grad():
                self.eager.measure(x, y, y_pred, sample_weight)
        for weight in weights:
            weight.grad = None
        self._forget_losses()
        return recorder, gradients, weights

    def _scale(self) -> list[torch.Tensor]:
        """What the loss is multiplied with, as a tensor, where it is multiplied at all."""
        one = torch.ones((), device=self.device)
        scaled = self.model.optimizer.scale_loss(one)
        return [] if scaled is one else [scaled]

    def _forget_losses(self) -> None:
        """What layers added to the loss is part of the recording now."""
        for module in self.model.modules():
            losses = module.__dict__.get("_losses")
            if losses:
                losses.clear()

    # ---- replaying ----

    def _take(self, kind: Kind, program: Program, trained: list[Any], tensors: list[torch.Tensor]) -> None:
        """Make a function of a recording, and note what it takes for granted."""
        program = rewrite(program, self.memory_budget)
        function = function_of(program)
        no_grad, below, scale = torch.no_grad, below_autograd, self._scale
        scales = kind.training and bool(scale())
        fed = [*tensors, *(scale() if scales else [])]
        if fed and fed[0].is_cuda:
            with no_grad(), below():
                function = as_graph(program, function, fed) or function
        apply = self.model.optimizer.planned(trained) if kind.training and trained else None

        def step(tensors: list[torch.Tensor]) -> None:
            with no_grad():
                with below():
                    gradients = function(*tensors, *scale()) if scales else function(*tensors)
                if apply is not None:
                    apply(gradients)

        kind.step, kind.guard = step, self._guard(program)

    def _guard(self, program: Program) -> Callable[[], bool]:
        """Whether weights are where they were and trained as they were, and nobody has changed layers or listens."""
        model, optimizer, seen = self.model, self.model.optimizer, Changes.count
        weights = list(model.parameters())
        wanted = [weight.requires_grad for weight in weights]
        kept = [tensor for value, tensor in program.kept.items() if value not in program.hoisted]
        places = [tensor.data_ptr() for tensor in kept]
        hooks = hooks_of(model)
        place_of, is_trained = torch.Tensor.data_ptr, operator.attrgetter("requires_grad")

        def holds() -> bool:
            return (
                Changes.count == seen
                and model.optimizer is optimizer
                and list(map(place_of, kept)) == places
                and list(map(is_trained, weights)) == wanted
                and not any(hooks)
            )

        return holds

    def report(self) -> dict[str, str]:
        """Which way the steps are run, and why."""
        told = {kind.form: _told(kind)[2] for kind in self._kinds.values()}
        captured = any(kind.step is not None for kind in self._kinds.values())
        why = "no step was run yet" if not told else "see the kinds of batches"
        return {"engine": "captured" if captured else "eager", "why": why, **told}


def _words(training: bool, tensors: list[torch.Tensor]) -> str:
    shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
    return f"{'training' if training else 'evaluation'} on {shapes}"


def _told(kind: Kind) -> tuple[str, str, str]:
    what, form = kind.form.split(" on ", 1)
    if kind.step is not None:
        return what, form, "replayed from a recording"
    return what, form, f"operation by operation, because {kind.why}" if kind.why else "operation by operation so far"
