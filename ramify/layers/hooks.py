"""Whether torch's own `Module.__call__` must run, or a layer's `call` may be called directly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ramify.variables import Changes

module_call = torch.nn.Module.__call__
_hooks = torch.nn.modules.module
_GLOBAL_HOOKS = (
    _hooks._global_forward_hooks,
    _hooks._global_forward_pre_hooks,
    _hooks._global_backward_hooks,
    _hooks._global_backward_pre_hooks,
)


def hooked(own: dict[str, Any]) -> bool:
    """Whether somebody listens to a module's calls (or has compiled it), so that torch's own `__call__` must run."""
    return bool(
        own["_forward_hooks"]
        or own["_forward_pre_hooks"]
        or own["_backward_hooks"]
        or own["_backward_pre_hooks"]
        or "_compiled_call_impl" in own
        or "forward" in own  # patched by a tool that wraps modules
        or any(_GLOBAL_HOOKS)
    )


def _counted(name: str) -> Callable[..., Any]:
    plain = getattr(torch.nn.Module, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        Changes.count += 1
        return plain(self, *args, **kwargs)

    method.__name__, method.__doc__ = name, plain.__doc__
    return method


class Hookable(torch.nn.Module):
    """A module that tells when somebody begins to listen to its calls, so that nothing runs past the listener."""


for _name in (
    "register_forward_hook",
    "register_forward_pre_hook",
    "register_full_backward_hook",
    "register_full_backward_pre_hook",
    "register_backward_hook",
    "compile",
):
    setattr(Hookable, _name, _counted(_name))
