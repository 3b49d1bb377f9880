"""`JaxLayer`: a JAX function as a layer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import torch

from ramify import dtype_policies
from ramify.errors import ArgumentError
from ramify.foreign.bridge import Program, as_array, to_torch
from ramify.foreign.functions import call_with, checked_arguments
from ramify.foreign.packages import needs_jax
from ramify.graph import SymbolicTensor, is_probing
from ramify.graph.structure import flatten
from ramify.layers.config import restored
from ramify.layers.layer import Layer
from ramify.layers.shapes import on_shapes
from ramify.registry import serializable
from ramify.registry.live import function_config, function_from
from ramify.seeds import Stream

_CALL = ("params", "state", "rng", "inputs", "training")
_INIT = ("rng", "inputs", "training")


@serializable("keras.layers")
class JaxLayer(Layer):
    """A JAX function as a layer; its parameters and its state are the layer's weights. Needs the package ``jax``.

    The function is compiled by `jax.jit` and gets arrays on the memory of torch's tensors where DLPack allows. Its
    gradients come from `jax.vjp`; gradients of gradients and `torch.func` do not reach into it.

    Args:
        call_fn: the model, as a pure function of arguments with these names, `inputs` and any of the others: `params`
            (what is trained), `state` (what is not), `rng` (a key of `jax.random`), `inputs` (an array or a pytree of
            arrays), `training` (a `bool`). It returns the outputs; if it takes `state`, ``(outputs, new_state)``.
        init_fn: makes the weights when the layer is built, of arguments with these names: `rng`, `inputs` (ones of the
            input's shape, 1 where a size is unknown; of its dtype where the layer is built by a call, else of the dtype
            that the layer computes in) and, if it likes, `training` (true). Returns the parameters; for a `call_fn`
            that takes `state`, ``(params, state)``.
        params: pytree of parameters to begin with; with it or `state`, `init_fn` is not called.
        state: pytree of state to begin with.
        seed: for `rng`: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its
            own.
        native_serialization_platforms: accepted for Keras's sake; only its TensorFlow backend has a use for it.

    Raises:
        PackageError: ``jax`` is not installed.
        ArgumentError: a function without a necessary argument or with an unknown one, or no way to get weights.

    Example::

        def init(rng, inputs):
            return {"w": jax.random.normal(rng, (inputs.shape[-1], 5))}

        def call(params, inputs):
            return jax.numpy.tanh(inputs @ params["w"])

        outputs = JaxLayer(call, init)(ramify.Input((3,)))  # of shape (None, 5)
    """

    call_fn: Callable[..., Any]
    init_fn: Callable[..., Any] | None
    _takes: dict[str, Any]
    _init_takes: dict[str, Any]

    def __init__(
        self,
        call_fn: Callable[..., Any],
        init_fn: Callable[..., Any] | None = None,
        params: Any = None,
        state: Any = None,
        seed: Any = None,
        native_serialization_platforms: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        needs_jax(type(self).__name__)
        own = self.__dict__  # pytrees stay what they are: lists in them are not the layer's to follow
        own["call_fn"], own["init_fn"] = call_fn, init_fn
        own["_takes"] = checked_arguments("call_fn", call_fn, _CALL, ("inputs",))
        own["_init_takes"] = (
            checked_arguments("init_fn", init_fn, _INIT, ("rng", "inputs")) if init_fn is not None else {}
        )
        own["_given"] = None if params is None and state is None else (params, state)
        if own["_given"] is None and init_fn is None and {"params", "state"} & set(self._takes):
            raise ArgumentError(
                f"{self.describe()} has nowhere to take its weights from: `init_fn`, `params` and `state` are all None."
                " Pass one of them. (A config does not hold `params` and `state`: to load a model, give it an "
                "`init_fn`, which files name once it is under `@register_keras_serializable()`.)"
            )
        if state is not None and "state" not in self._takes:
            raise ArgumentError(f"{self.describe()} was given `state`, but its `call_fn` takes none. Leave it out.")
        self.native_serialization_platforms = native_serialization_platforms
        self.seed = seed
        self._stream = Stream(seed, type(self).__name__)
        own["_trees"] = {}
        own["_dtypes"] = None
        own["_program"] = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the layer on real tensors, or record a call on symbolic ones."""
        if not self.built:
            first = args[0] if args else kwargs.get("inputs")
            self.__dict__["_dtypes"] = [_input_dtype(self, leaf) for leaf in flatten(first)]
        return super().__call__(*args, **kwargs)

    # ---- weights ----

    def build(self, input_shape: Any) -> None:
        """Make weights of `params` and `state`, or of what `init_fn` returns for the shape."""
        given = self.__dict__["_given"]
        params, state = given if given is not None else self._initial(input_shape)
        self._hold("params", params, trainable=True)
        self._hold("state", state, trainable=False)
        self.__dict__["_given"] = None

    def _initial(self, input_shape: Any) -> tuple[Any, Any]:
        if self.init_fn is None:
            return None, None
        numpy = needs_jax(type(self).__name__).numpy
        dtypes = iter(self.__dict__["_dtypes"] or ())

        def ones(shape: Any) -> Any:
            return numpy.ones([1 if size is None else size for size in shape], next(dtypes, self.compute_dtype))

        values = {"rng": self._key(), "inputs": on_shapes(ones, input_shape), "training": True}
        made = call_with(self.init_fn, self._init_takes, values)
        if "state" not in self._takes:
            return made, None
        if not isinstance(made, tuple) or len(made) != 2:
            raise ArgumentError(
                f"`init_fn` of {self.describe()} returned {type(made).__name__}, but its `call_fn` takes `state`. "
                "Return a tuple (params, state)."
            )
        return made

    def _hold(self, kind: str, tree: Any, *, trainable: bool) -> None:
        """Make weights of the leaves of a pytree, and remember its structure."""
        util = needs_jax(type(self).__name__).tree_util
        leaves, structure = util.tree_flatten_with_path(tree)
        names: list[str] = []
        for path, leaf in leaves:
            name = re.sub(r"\W", "_", "_".join((kind, *(str(_step(key)) for key in path))))
            name = name if not hasattr(self, name) else f"{name}_{len(names)}"
            value = to_torch(as_array(leaf, self.describe()), torch.get_default_device())

            def initial(size: Any, dtype: Any, value: torch.Tensor = value) -> torch.Tensor:
                del size, dtype
                return value

            dtype = str(value.dtype).removeprefix("torch.")
            weight = self.add_weight(tuple(value.shape), initial, dtype, trainable=trainable, name=name)
            setattr(self, name, weight)
            names.append(name)
        self.__dict__["_trees"][kind] = (tuple(names), structure)

    def _held(self, kind: str) -> list[torch.Tensor]:
        return [getattr(self, name) for name in self.__dict__["_trees"][kind][0]]

    # ---- calling ----

    def call(self, inputs: Any, training: bool = False) -> Any:
        """What `call_fn` returns; its new state is kept."""
        util = needs_jax(type(self).__name__).tree_util
        leaves, structure = util.tree_flatten(inputs)
        program = self.__dict__["_program"]
        if program is None:
            program = self.__dict__["_program"] = Program(self._run)
        params, state = self._held("params"), self._held("state")
        static = (structure, bool(training))
        if is_probing() or any(leaf.is_meta for leaf in leaves):
            return program.shapes(static, [*params, *state, *leaves], self._key(draw=False))
        # State is written to below, and JAX may remember what it was for the way back.
        copies = [one.detach().clone() for one in state]
        device = next((leaf.device for leaf in (*leaves, *params)), torch.device("cpu"))
        outputs, changed = program(static, [*params, *copies, *leaves], self._key(draw="rng" in self._takes), device)
        with torch.no_grad():
            for weight, value in zip(state, util.tree_leaves(changed), strict=True):
                weight.copy_(value)
        return outputs

    def _run(self, static: Any, leaves: list[Any], key: Any) -> tuple[Any, Any]:
        """`call_fn` of arrays alone; this is what JAX compiles."""
        util = needs_jax(type(self).__name__).tree_util
        structure, training = static
        trees = self.__dict__["_trees"]
        (params, params_tree), (state, state_tree) = trees["params"], trees["state"]
        split = len(params), len(params) + len(state)
        values = {
            "params": util.tree_unflatten(params_tree, leaves[: split[0]]),
            "state": util.tree_unflatten(state_tree, leaves[split[0] : split[1]]),
            "inputs": util.tree_unflatten(structure, leaves[split[1] :]),
            "rng": key,
            "training": training,
        }
        results = call_with(self.call_fn, self._takes, values)
        if "state" not in self._takes:
            return results, values["state"]
        if not isinstance(results, tuple) or len(results) != 2:
            raise ArgumentError(
                f"`call_fn` of {self.describe()} takes `state` but returned {type(results).__name__}. "
                "Return a tuple (outputs, new_state)."
            )
        if util.tree_structure(results[1]) != state_tree:
            raise ArgumentError(
                f"`call_fn` of {self.describe()} returned a state of structure {util.tree_structure(results[1])}, but "
                f"was given {state_tree}. Return the state with every leaf in its place."
            )
        return results

    def _key(self, *, draw: bool = True) -> Any:
        """A new key of `jax.random`; without `draw`, one that is good for nothing."""
        seed = 0
        if draw:
            generator = self._stream.generator(torch.device("cpu"))
            seed = int(torch.randint(0, 2**31 - 1, (), generator=generator, device="cpu"))
        return needs_jax(type(self).__name__).random.PRNGKey(seed)

    # ---- config ----

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, functions by their registered names; without `params` and `state`."""
        config = self._base_config()
        config["call_fn"] = function_config(self.call_fn)
        config["init_fn"] = None if self.init_fn is None else function_config(self.init_fn)
        config["native_serialization_platforms"] = self.native_serialization_platforms
        return config

    def _base_config(self) -> dict[str, Any]:
        policy = dtype_policies.serialize(self.dtype_policy)
        config = {"name": self.name, "trainable": self._trainable, "dtype": policy}
        return config if self.seed is None else {**config, "seed": self.seed}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The layer that `get_config` described.

        Raises:
            UnsafeFileError: a function is bytecode that came from a file.
        """
        rest = dict(config)
        what = f"the JaxLayer '{config.get('name')}'"
        own = {name: function_from(rest.pop(name, None), what) for name in ("call_fn", "init_fn")}
        return cls(**own, **restored(rest))

    def __getstate__(self) -> dict[str, Any]:
        """All but the compiled program, which belongs to this object."""
        return {**super().__getstate__(), "_program": None}


def _input_dtype(layer: Layer, leaf: Any) -> str:
    """The dtype in which a leaf of the input will reach `call`, as JAX names it."""
    dtype = leaf.dtype if isinstance(leaf, (torch.Tensor, SymbolicTensor)) else getattr(leaf, "dtype", "float32")
    name = str(dtype).removeprefix("torch.")
    return layer.compute_dtype if layer.autocast and "float" in name else name


def _step(key: Any) -> Any:
    """One step of a path through a pytree: a key, a position or a name."""
    return next((getattr(key, kind) for kind in ("key", "idx", "name") if hasattr(key, kind)), key)
