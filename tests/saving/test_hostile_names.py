"""F3: every public callable of the library, methods included, as the target of a config."""

from __future__ import annotations

import inspect
import itertools
import json
import sys
import types

import pytest

import ramify
from ramify import registry
from ramify.errors import RamifyError
from ramify.saving import model_from_json
from tests.saving.hostile import build, layer_of

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # some layers warn of what a config leaves out
    pytest.mark.skipif(sys.gettrace() is not None, reason="looks at what is called, as tools that trace do"),
]


def public_callables():
    """Dotted path -> callable, for all that attribute look-up reaches from `ramify` by public names."""
    found, seen, stack = {}, set(), [("ramify", ramify)]
    while stack:
        path, holder = stack.pop(0)
        for name in sorted(name for name in dir(holder) if not name.startswith("_")):
            value = getattr(holder, name, None)
            own = str(getattr(value, "__module__", getattr(value, "__name__", ""))).startswith("ramify")
            if isinstance(value, types.ModuleType):
                own = value.__name__.startswith("ramify")
            elif callable(value):
                found[f"{path}.{name}"] = value
            if own and isinstance(value, (types.ModuleType, type)) and id(value) not in seen:
                seen.add(id(value))
                stack.append((f"{path}.{name}", value))
    return found


ALL = public_callables()
KNOWN = {}
for path, target in ALL.items():
    KNOWN.setdefault(id(getattr(target, "__func__", target)), path)
EACH_ONCE = sorted(KNOWN.values())


def as_function(layer, module, name):
    function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    layer.update(module="keras.layers", class_name="Lambda", config={"name": "hidden", "function": function})


def as_layer(layer, module, name):
    layer.update(module=module, class_name=name, registered_name=None, config={"name": "hidden"})


def as_registered(layer, module, name):
    layer.update(module=module, class_name="Dense", registered_name=f"{module}>{name}", config={"name": "hidden"})


def as_operation(layer, module, name):
    layer.update(module="ramify.graph", class_name="Operation", config={"function": f"{module}.{name}"})


def as_keras_operation(layer, module, name):
    layer.update(module=f"keras.src.ops.{module}", class_name=name, config={})


FORMS = (as_function, as_layer, as_registered, as_operation, as_keras_operation)


def loaded(form, path):
    """What a config with this target lets the model call, ``None`` where it is refused; and the code that was run."""
    config = json.loads(SOURCE)
    form(layer_of(config), *path.rsplit(".", 1))
    text, ran = json.dumps(config), set()

    def profile(frame, event, _):
        if event == "call":
            ran.add(frame.f_code)

    sys.setprofile(profile)
    try:
        made = model_from_json(text)
    except RamifyError:
        made = None
    finally:
        sys.setprofile(None)
    return None if made is None else made.outputs[0].node.target, ran


def plain_config():
    config = json.loads(build().to_json())
    layer_of(config).update(build_config=None)
    return json.dumps(config)


SOURCE = plain_config()


def code_of(value):
    """The code that would run if this were called; ``None`` for what is no Python."""
    if inspect.isclass(value):
        value = value.__init__
    return getattr(getattr(value, "__func__", value), "__code__", None)


def may_run(path, form):
    """Pure functions run when a graph is made of them; classes of layers are tried, though arguments are missing."""
    home = registry.module_of(ALL[path]) or ""
    return home.startswith("keras.layers" if form is as_layer else ("keras.ops", "keras.activations"))


def check(paths, forms=FORMS):
    """Each is refused without being run, or gives a layer of the library, or a pure function; returns the counts."""
    counts = [0, 0]
    usual = {form: loaded(form, "ramify.nothing_of_this_name")[1] for form in FORMS}
    for path, form in itertools.product(paths, forms):
        target, ran = loaded(form, path)
        counts[target is not None] += 1
        assert code_of(ALL[path]) not in ran - usual[form] or may_run(path, form), (path, form.__name__)
        name = path.rpartition(".")[2]
        if target is None:
            continue
        if form is as_layer:
            assert type(target) in (registry.builtin(name, "keras.layers"), registry.builtin(name, "keras")), path
        elif form is as_registered:  # which names `Dense` itself
            assert type(target) is ramify.layers.Dense, path
        elif form is as_function:
            home = registry.module_of(registry.lookup(name))
            assert home.startswith(("keras.activations", "keras.ops", "keras.losses", "keras.metrics")), path
        else:
            assert getattr(target, "__module__", "torch").startswith(("ramify.ops.", "torch")), (path, target)
    return counts


def test_every_public_callable_as_target():
    assert len(EACH_ONCE) > 3000
    refused, accepted = check(EACH_ONCE, (as_function, as_layer))
    assert refused > 10 * accepted > 0


def test_other_ways_to_name_a_target():
    assert check(EACH_ONCE[::9], (as_registered, as_operation, as_keras_operation))[0] > 900


@pytest.mark.slow
def test_every_path_to_every_public_callable():
    assert len(ALL) > 20_000
    assert check(sorted(ALL))[0] > 100_000
