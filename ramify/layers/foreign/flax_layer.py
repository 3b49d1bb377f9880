"""`FlaxLayer`: a module of Flax as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self

from ramify import registry
from ramify.errors import ArgumentError
from ramify.foreign.packages import needs_flax
from ramify.layers.config import restored
from ramify.layers.foreign.jax_layer import JaxLayer
from ramify.registry import serializable
from ramify.registry.live import function_config, function_from


@serializable("keras.layers")
class FlaxLayer(JaxLayer):
    """A `flax.linen.Module` as a layer. Needs the packages ``jax`` and ``flax``.

    The collection ``"params"`` becomes the trainable weights, all others (such as ``"batch_stats"``) weights that the
    module itself updates. Keys for dropout and the like are made for every call. Of the collections that are new in a
    call, such as ``"intermediates"``, none is kept.

    Args:
        module: the module.
        method: the method to call, by its name or as a function ``(module, inputs)``; ``__call__`` when not given. It
            is called with `training` too, where it has an argument of that name.
        variables: collections of variables as `module.init` returns them; made when the layer is built if not given.
        kwargs: arguments of `JaxLayer`, such as `seed`.

    Raises:
        PackageError: ``jax`` or ``flax`` is not installed.
        ArgumentError: `module` is no module, or `variables` have no ``"params"``.

    Example::

        outputs = FlaxLayer(flax.linen.Dense(5))(ramify.Input((3,)))  # of shape (None, 5)
    """

    module: Any
    method: Any
    _called: Any
    _passes_training: bool

    def __init__(
        self,
        module: Any,
        method: Callable[..., Any] | str | None = None,
        variables: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        flax = needs_flax(type(self).__name__)
        if not isinstance(module, flax.linen.Module):
            raise ArgumentError(f"FlaxLayer wraps a flax.linen.Module, but received {module!r:.80}. Pass a module.")
        called = method or "__call__"
        if isinstance(called, str) and not hasattr(module, called):
            raise ArgumentError(f"{type(module).__name__} has no method '{called}'. Name one of its methods.")
        function = getattr(type(module), called) if isinstance(called, str) else called
        params = state = None
        if variables is not None:
            if "params" not in variables:
                raise ArgumentError(f"`variables` have no collection 'params', only {sorted(variables)}. Add it.")
            params, state = _split(flax.core.unfreeze(variables))
        super().__init__(self._module_call, self._module_init, params, state, **kwargs)
        own = self.__dict__
        own["module"], own["method"], own["_called"] = module, method, called
        own["_passes_training"] = "training" in inspect.signature(function).parameters

    def _module_call(self, params: Any, state: Any, rng: Any, inputs: Any, training: bool) -> tuple[Any, Any]:
        given = {"params": params, **state}
        # Without a key of its own name, Flax draws from the one for "params".
        extra = {"training": training} if self._passes_training else {}
        outputs, changed = self.module.apply(
            given, inputs, rngs={"params": rng}, mutable=list(state), method=self._called, **extra
        )
        return outputs, {**state, **needs_flax(type(self).__name__).core.unfreeze(changed)}

    def _module_init(self, rng: Any, inputs: Any, training: bool) -> tuple[Any, Any]:
        extra = {"training": training} if self._passes_training else {}
        made = self.module.init({"params": rng}, inputs, method=self._called, **extra)
        return _split(needs_flax(type(self).__name__).core.unfreeze(made))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments without `variables`.

        Raises:
            ArgumentError: the module's class has no `get_config`.
        """
        if not hasattr(self.module, "get_config"):
            raise ArgumentError(
                f"The module of {self.describe()} cannot be written to a config: {type(self.module).__name__} has no "
                "`get_config`. Add one that returns its arguments, and `@register_keras_serializable()`; or save the "
                "weights alone with `save_weights`."
            )
        method: Any = self.method
        if callable(method):
            own = getattr(type(self.module), getattr(method, "__name__", ""), None)
            # What the class has under this name is called by it: files then need no registered function.
            method = (
                method.__name__ if own in (method, getattr(method, "__func__", method)) else function_config(method)
            )
        return {**self._base_config(), "module": registry.serialize(self.module), "method": method}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The layer that `get_config` described.

        Raises:
            UnsafeFileError: `method` is bytecode that came from a file.
        """
        rest = dict(config)
        method = function_from(rest.pop("method", None), f"the FlaxLayer '{config.get('name')}'")
        return cls(method=method, **restored(rest))


def _split(variables: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """What is trained, and all other collections."""
    return variables.get("params", {}), {name: value for name, value in variables.items() if name != "params"}
