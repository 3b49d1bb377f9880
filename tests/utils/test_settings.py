"""`Config`, and where a symbolic tensor comes from."""

from __future__ import annotations

import keras
import pytest

import ramify
from ramify.errors import ArgumentError
from ramify.utils import Config, get_source_inputs


def test_a_config_is_used_as_that_of_keras():
    made = []
    for cls in (keras.utils.Config, Config):
        c = cls(a=1, b={"c": 2})
        c.d = 3
        c["e"] = 4
        c.update(f=5)
        del c["e"]
        popped = c.pop("f")
        made.append((popped, c.d, c["a"], "b" in c, len(c), list(c), c.as_dict(), c.to_json(), repr(c), c.get("z", 9)))
        made[-1] += (list(c.keys()), list(c.values()), list(c.items()), c.frozen)
        c.freeze()
        for change in (lambda c=c: setattr(c, "a", 2), lambda c=c: c.update(a=2), lambda c=c: c.pop("a")):
            with pytest.raises(ValueError, match="frozen"):
                change()
        c.unfreeze()
        c.a = 7
        assert c.a == 7
        with pytest.raises(AttributeError):
            c.zz  # noqa: B018 -- reading raises
    assert made[0] == made[1]


def test_a_config_helps_with_typos_and_lists_its_entries():
    c = Config(learning_rate=0.1)
    with pytest.raises(AttributeError, match="Did you mean 'learning_rate'"):
        c.learning_rat  # noqa: B018 -- reading raises
    assert "learning_rate" in dir(c)
    assert c == Config(learning_rate=0.1) != Config()


def test_the_inputs_behind_a_tensor():
    a, b = ramify.Input((3,), name="a"), ramify.Input((3,), name="b")
    h = ramify.layers.Dense(3)(a)
    sources = get_source_inputs(ramify.layers.Concatenate()([h, b, h]))
    assert [t.name for t in sources] == ["a", "b"]
    assert get_source_inputs(a)[0] is a
    with pytest.raises(ArgumentError, match="symbolic tensor"):
        get_source_inputs(3)
