"""`Config`: settings by attribute, which can be frozen."""

from __future__ import annotations

import difflib
import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from ramify.errors import ArgumentError


class Config:
    """A dict whose entries are attributes.

    Args:
        kwargs: the entries.

    >>> config = Config(units=8, rate=0.1)
    >>> config.units, config["rate"]
    (8, 0.1)
    >>> config.freeze()
    >>> config.units = 9
    Traceback (most recent call last):
    ramify.errors.ArgumentError: The config is frozen, so 'units' cannot be set. Call unfreeze() first.
    """

    _config: dict[str, Any]
    _frozen: bool

    def __init__(self, **kwargs: Any) -> None:
        object.__setattr__(self, "_config", dict(kwargs))
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        """Whether entries can no longer be changed."""
        return self._frozen

    def freeze(self) -> None:
        """Refuse changes from now on."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Allow changes again."""
        object.__setattr__(self, "_frozen", False)

    def _change(self, name: Any) -> dict[str, Any]:
        if self._frozen:
            raise ArgumentError(f"The config is frozen, so {name!r} cannot be set. Call unfreeze() first.")
        return self._config

    def __getattr__(self, name: str) -> Any:
        entries = self.__dict__.get("_config", {})
        if name in entries:
            return entries[name]
        close = difflib.get_close_matches(name, entries, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise AttributeError(f"The config has no entry {name!r}; it has {', '.join(map(repr, entries))}.{hint}")

    def __setattr__(self, name: str, value: Any) -> None:
        self._change(name)[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._change(name):
            raise AttributeError(f"The config has no entry {name!r}.")
        del self._config[name]

    def __getitem__(self, name: str) -> Any:
        return self._config[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._change(name)[name] = value

    def __delitem__(self, name: str) -> None:
        del self._change(name)[name]

    def __contains__(self, name: object) -> bool:
        return name in self._config

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._config))

    def __len__(self) -> int:
        return len(self._config)

    def __repr__(self) -> str:
        return f"<Config {self._config}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and self._config == other._config

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._config]

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._config.keys()

    def values(self) -> ValuesView[Any]:
        """The values."""
        return self._config.values()

    def items(self) -> ItemsView[str, Any]:
        """Names and values."""
        return self._config.items()

    def get(self, keyname: str, value: Any = None) -> Any:
        """An entry, or `value` where there is none of that name."""
        return self._config.get(keyname, value)

    def pop(self, *args: Any) -> Any:
        """Take an entry out; a second argument is the result where there is none."""
        return self._change(args[0] if args else None).pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several entries, as `dict.update` does."""
        self._change(next(iter(kwargs), "update")).update(*args, **kwargs)

    def as_dict(self) -> dict[str, Any]:
        """The entries as a dict of their own."""
        return dict(self._config)

    def to_json(self) -> str:
        """The entries as JSON."""
        return json.dumps(self._config)
