"""From a name, a config or a function to a loss."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch

from ramify import registry
from ramify.errors import ArgumentError
from ramify.losses import crossentropy, distributions, embeddings, focal, margins, overlap, regression, sequences
from ramify.losses.base import Loss, LossFunctionWrapper
from ramify.losses.torch_loss import TorchLoss

MODULE = "keras.losses"


def serialize(loss: Any) -> Any:
    """A loss as plain data: a dict for an object, a name for a function.

    >>> serialize(registry.lookup("mse", "keras.losses"))
    'mean_squared_error'
    """
    return registry.serialize(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss that `serialize` described.

    Args:
        name: a name such as ``"mse"`` or ``"MeanSquaredError"``, or a config.
        custom_objects: name -> class or function, looked up first.

    Returns:
        A function where the name is a function's, else a `Loss`.

    Raises:
        ArgumentError: a name that nothing is registered under.
    """
    return registry.deserialize(name, MODULE, custom_objects, what="loss")


def get(identifier: Any) -> Any:
    """The loss that an identifier stands for.

    Args:
        identifier: ``None``, a name, a config, a `Loss` class or object, a function of ``(y_true, y_pred)``, or a
            `torch.nn` loss.

    Returns:
        ``None``, a function or a `Loss`.

    Raises:
        ArgumentError: anything else.

    >>> get("mse").__name__
    'mean_squared_error'
    """
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, (str, Mapping)):
        return deserialize(identifier)
    if inspect.isclass(identifier):
        identifier = identifier()
    if isinstance(identifier, torch.nn.Module):
        return TorchLoss(identifier)
    if callable(identifier):
        return identifier
    raise ArgumentError(
        f"{identifier!r} is no loss. Pass a name such as 'mse', a Loss, a function of (y_true, y_pred), "
        "or a torch.nn loss."
    )


def as_loss(identifier: Any, name: str | None = None) -> Loss | None:
    """Like `get`, but functions become a `Loss`: that of the library where it has one, so that fused kernels are used.

    Args:
        identifier: as in `get`.
        name: name of the loss; that of the function when ``None``.

    >>> as_loss("mse")
    <MeanSquaredError name=mean_squared_error>
    """
    loss = get(identifier)
    if loss is None or isinstance(loss, Loss):
        return loss
    name = name or getattr(loss, "__name__", None)
    known = _CLASS_OF.get(loss)
    wrapped: Loss = known(name=name) if known else LossFunctionWrapper(loss, name=name)
    return wrapped


_CLASSES: tuple[type[Any], ...] = (
    embeddings.Circle,
    crossentropy.BinaryCrossentropy,
    crossentropy.CategoricalCrossentropy,
    crossentropy.SparseCategoricalCrossentropy,
    distributions.CosineSimilarity,
    distributions.KLDivergence,
    distributions.Poisson,
    focal.BinaryFocalCrossentropy,
    focal.CategoricalFocalCrossentropy,
    margins.CategoricalHinge,
    margins.Hinge,
    margins.SquaredHinge,
    overlap.Dice,
    overlap.Tversky,
    regression.Huber,
    regression.LogCosh,
    regression.MeanAbsoluteError,
    regression.MeanAbsolutePercentageError,
    regression.MeanSquaredError,
    regression.MeanSquaredLogarithmicError,
    sequences.CTC,
)
_CLASS_OF: dict[Any, type[Any]] = {cls().fn: cls for cls in _CLASSES}
