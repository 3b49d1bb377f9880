"""Which batches make up an epoch, and how to come back to the same batch of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from ramify import random_states
from ramify.errors import ArgumentError
from ramify.training.data import DataAdapter


class Feed:
    """The epochs of a source of batches.

    Args:
        data: the source.
        steps: batches in an epoch; all that the source has when ``None``. With it, the source is gone through again and
            again, and an epoch starts where the last one stopped.
        what: name of the argument that sets `steps`, for messages.
        limit: the most batches that an epoch may take; the source begins anew with the next.
    """

    def __init__(
        self, data: DataAdapter, steps: int | None = None, what: str = "steps_per_epoch", limit: int | None = None
    ) -> None:
        if steps is not None and (not isinstance(steps, int) or steps < 1):
            raise ArgumentError(f"{what} must be a positive whole number or None, but is {steps!r}.")
        if limit is not None and (steps is not None or data.endless):
            steps = limit if steps is None else min(steps, limit)
        if steps is None and data.endless and getattr(data, "dataset", None) is not None:
            raise ArgumentError(f"The data set has no end (its num_batches is None). Pass {what}.")
        self.data = data
        self.steps = steps
        self.limit = limit
        self.num_batches = steps if steps is not None else data.num_batches
        if limit is not None and self.num_batches is not None:
            self.num_batches = min(self.num_batches, limit)
        self._stream: Iterator[Any] | None = None
        self._fed = 0
        self._taken = 0
        self._start: dict[str, Any] | None = None
        self._resumed: Iterator[Any] | None = None

    def epoch(self, done: int = 0) -> Iterator[Any]:
        """The batches of the next epoch; none, or too few, where the source has run out.

        Args:
            done: batches of it that were taken before `load_state_dict` came back to it.
        """
        if self.steps is None and not self.data.endless:
            batches, self._resumed = self._resumed or self._pass(), None
            return batches if self.limit is None else self._some(batches, self.limit - done)
        if self._stream is None:
            self._stream = self._pass() if self.data.endless else self._passes()
        return self._stream if self.steps is None else itertools.islice(self._stream, self.steps - done)

    def _pass(self) -> Iterator[Any]:
        self._start = {"random": random_states.capture(), "own": random_states.capture_own(self._owners())}
        self._start["source"] = None if self._continues else self._source_state()
        self._taken = 0
        self.data.on_epoch_begin()
        for batch in self.data.epoch():
            self._fed += 1
            self._taken += 1
            yield batch
        self.data.on_epoch_end()
        self._start = None
        if not self._fed:
            raise ArgumentError("The data gave no batches. Check how it was made, or whether it was used up before.")

    def _passes(self) -> Iterator[Any]:
        while True:
            yield from self._pass()

    def _some(self, batches: Iterator[Any], count: int) -> Iterator[Any]:
        yield from itertools.islice(batches, count)
        self._start = None  # the next epoch begins anew

    def one(self) -> Any:
        """A batch to try things with, of a source that is not used up by it; ``None`` of one that is."""
        if self.data.endless:
            return None
        before, state = random_states.capture_own(self._owners()), self._source_state()
        try:
            return next(iter(self.data.epoch()), None)
        finally:
            random_states.restore_own(self._owners(), before)
            if state is not None:
                self._source.load_state_dict(state)

    # ---- where the source stands ----

    @property
    def _source(self) -> Any:
        return getattr(self.data, "source", getattr(self.data, "dataset", None))

    @property
    def _continues(self) -> bool:
        """Whether the source itself can be told to go on in the middle, as torchdata's loaders can."""
        return not hasattr(self._source, "__getitem__") and _keeps_state(self._source)

    def _source_state(self) -> Any:
        return self._source.state_dict() if _keeps_state(self._source) else None

    def _owners(self) -> list[Any]:
        """Who may hold random generators that decide what comes next."""
        source = self._source
        sampler = getattr(source, "sampler", None)
        batches = getattr(source, "batch_sampler", None)
        inside = getattr(source, "dataset", None)
        return [one for one in (source, sampler, batches, getattr(batches, "sampler", None), inside) if one is not None]

    def state_dict(self) -> dict[str, Any]:
        """Where the source stands: in a pass through it, or between two."""
        begun = self._start is not None
        return {
            "num_batches": self.num_batches,
            "fed": self._fed,
            "taken": self._taken if begun else None,
            "start": self._start,
            "own": random_states.capture_own(self._owners()),
            "source": self._source_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Come back to the same place, by going through the batches before it again.

        The random states of the process are others afterwards.

        Args:
            state: what `state_dict` gave, of an equal source.

        Returns:
            The last batch before that place; ``None`` where there is none.

        Raises:
            ArgumentError: the source has fewer batches.
        """
        if self.num_batches is None:
            self.num_batches = state["num_batches"]
        self._stream = self._resumed = batch = None
        start = state["start"]
        at = state if start is None or self._continues else start
        if at["source"] is not None and _keeps_state(self._source):
            self._source.load_state_dict(at["source"])
        random_states.restore_own(self._owners(), at["own"])
        if start is not None:
            random_states.restore(start["random"])
            batches = self._passes() if self.steps is not None and not self.data.endless else self._pass()
            for number in range(0 if self._continues else state["taken"]):
                batch = next(batches, self)
                if batch is self:
                    raise ArgumentError(
                        f"The data gave {number} batches, but training had taken {state['taken']} of them when it was "
                        "saved. Go on with the same data; a generator must be made anew."
                    )
            if self.steps is None and not self.data.endless:
                self._resumed = batches
            else:
                self._stream = batches
            self._taken = state["taken"]
        self._fed = state["fed"]
        return batch


def _keeps_state(source: Any) -> bool:
    return callable(getattr(source, "state_dict", None)) and callable(getattr(source, "load_state_dict", None))
