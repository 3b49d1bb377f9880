"""Lists and dicts that tell their layer which sublayers they hold, so that nothing in them is overlooked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch


def modules_in(value: Any) -> Iterator[tuple[str, torch.nn.Module]]:
    """Every module nested in lists, tuples and dicts, with a dotted place."""
    items: Any = ()
    if isinstance(value, (list, tuple)):
        items = enumerate(value)
    elif isinstance(value, dict):
        items = value.items()
    for key, item in items:
        if isinstance(item, torch.nn.Module):
            yield str(key).replace(".", "_"), item
        else:
            for place, module in modules_in(item):
                yield f"{key}_{place}".replace(".", "_"), module


def _reporting(name: str, base: type) -> Callable[..., Any]:
    plain = getattr(base, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = plain(self, *args, **kwargs)
        self._report()
        return result

    method.__name__ = name
    return method


class TrackedList(list[Any]):
    """A list that calls back whenever its items change."""

    _report: Callable[[], None] = staticmethod(lambda: None)


class TrackedDict(dict[Any, Any]):
    """A dict that calls back whenever its items change."""

    _report: Callable[[], None] = staticmethod(lambda: None)


for _name in "append extend insert remove pop clear __setitem__ __delitem__ __iadd__ sort reverse".split():
    setattr(TrackedList, _name, _reporting(_name, list))
for _name in "__setitem__ __delitem__ update pop popitem clear setdefault __ior__".split():
    setattr(TrackedDict, _name, _reporting(_name, dict))


def tracked(owner: torch.nn.Module, name: str, value: Any) -> Any:
    """The list or dict as one that keeps `owner`'s submodule `name` in step with the layers in it.

    Tuples cannot change, so they are looked through once and stay what they are.
    """

    def report() -> None:
        found = dict(modules_in(result))
        if found or name in owner._modules:
            owner._modules[name] = torch.nn.ModuleDict(found)

    if isinstance(value, tuple):
        result: Any = value
    else:
        result = TrackedList(value) if isinstance(value, list) else TrackedDict(value)
        result._report = report
    report()
    return result
