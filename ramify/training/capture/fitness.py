"""Whether a model's step can be recorded: what speaks against it is known before anything runs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import torch

from ramify.optimizers import LossScaleOptimizer, Optimizer
from ramify.variables import Variable

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_WEIGHT_HOOKS = ("_backward_hooks", "_post_accumulate_grad_hooks")
_DEVICES = ("cpu", "cuda")
_OURS = ("ramify", "torch", "_operator", "operator", "builtins")


def why_not(model: Any, training: bool) -> str | None:
    """Why a model's steps cannot be replayed; ``None`` where nothing is known against it.

    Args:
        model: the compiled model.
        training: whether steps of training are meant.
    """
    if model.measures_itself:
        return "`compute_metrics` is overridden: what it returns is made by Python code in each step"
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return "several processes train together"
    if any(hooks_of(model)):
        return "hooks listen to modules, which a replayed step would not call"
    weights = [*model.parameters(), *model.buffers()]
    if any(weight.device.type not in _DEVICES for weight in weights):
        return f"steps are recorded on {' and '.join(_DEVICES)} only"
    strange = next((w for w in weights if not _is_plain(w)), None)
    if strange is not None:
        return f"a weight is a {type(strange).__name__} of layout {strange.layout}, not a plain dense tensor"
    if any(getattr(weight, name, None) for weight in weights for name in _WEIGHT_HOOKS):
        return "hooks listen to gradients, which a replayed step would not call"
    if training and type(model.optimizer).scale_loss not in (Optimizer.scale_loss, LossScaleOptimizer.scale_loss):
        return f"{type(model.optimizer).__name__} has a `scale_loss` of its own"
    return None


def hooks_of(model: torch.nn.Module) -> list[Any]:
    """The dicts that hold hooks, of all modules and of torch: a recording is good as long as all are empty."""
    shared = torch.nn.modules.module
    found = [getattr(shared, f"_global{name}") for name in _HOOKS if hasattr(shared, f"_global{name}")]
    return found + [module.__dict__[name] for module in model.modules() for name in _HOOKS if name in module.__dict__]


def is_ours(model: Any) -> bool:
    """Whether all that takes part in a step is the library's or torch's own code, which reads nothing that changes.

    A user's layer, loss or metric may read a number that a callback changes between epochs, say; then the recording is
    compared with a real step now and then.
    """
    return all(map(_is_ours, _parts(model)))


def _parts(model: Any) -> Iterator[Any]:
    yield type(model).compute_loss
    for module in model.modules():
        if module is not model:
            yield type(module)
        if getattr(module, "has_graph", False):
            yield from (node.target for node in module.graph.nodes if not isinstance(node.target, torch.nn.Module))
        else:
            yield getattr(type(module), "call", type(module).forward)
    for term in getattr(model.compile_loss, "_terms", None) or ():
        yield from (type(term.loss), getattr(term.loss, "fn", None))
    for metric in getattr(model.compile_metrics, "metrics", ()):
        yield from (type(metric), getattr(metric, "_fn", None))
    for weight in model.parameters():
        regularizer = getattr(weight, "regularizer", None)
        if regularizer is not None:
            yield regularizer if inspect.isroutine(regularizer) else type(regularizer)


def _is_ours(part: Any) -> bool:
    home = getattr(part, "__module__", None) or ""
    return part is None or home.split(".")[0] in _OURS or (type(part).__module__ == "builtins" and not home)


def _is_plain(weight: torch.Tensor) -> bool:
    known = type(weight) in (torch.Tensor, torch.nn.Parameter) or isinstance(weight, Variable)
    return known and weight.layout is torch.strided and type(weight.data) is torch.Tensor
