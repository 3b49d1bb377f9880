"""`Function`: the computation between some symbolic tensors and others, to be done again on new inputs."""

from __future__ import annotations

from typing import Any

from ramify.models.model import Functional


class Function(Functional):
    """A graph that is called: a `Functional` model by another name, for where nothing is trained.

    Args:
        inputs: symbolic tensor, or a nested structure of them.
        outputs: symbolic tensor, or a nested structure of them, that follow from `inputs`.
        name: its name; made up when not given.

    Raises:
        DisconnectedError: an output depends on an input that is not given.

    Example:

    >>> import ramify
    >>> a, b = ramify.Input((2,)), ramify.Input((2,))
    >>> add = Function([a, b], a + 2 * b)
    >>> add([ramify.ops.ones((1, 2)), ramify.ops.ones((1, 2))]).tolist()
    [[3.0, 3.0]]
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(inputs, outputs, name=name)

    @property
    def operations(self) -> list[Any]:
        """What is called: layers and functions, each once, in the order of execution."""
        return list(dict.fromkeys(node.target for node in self.graph.nodes))
