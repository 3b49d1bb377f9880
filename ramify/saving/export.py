"""Models as programs that run without this library: `torch.export` archives and ONNX."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.utils import _pytree as pytree

from ramify import dtypes
from ramify.errors import ArgumentError, NotBuiltError
from ramify.saving.files import may_write, replacing
from ramify.settings import say

if TYPE_CHECKING:
    from ramify.models.model import Model

_ENDINGS = {"torch": ".pt2", "onnx": ".onnx"}
_ELSEWHERE = ("tf_saved_model", "saved_model", "openvino", "litert")
_BATCH, _SIZE = 2, 32  # sizes to trace with where any will do; torch takes 0 and 1 for fixed


def export(
    model: Model,
    filepath: str | os.PathLike[str],
    format: str | None = None,
    verbose: bool | None = None,
    input_signature: Any = None,
    **kwargs: Any,
) -> None:
    """Write what a model computes in inference as a program that runs without this library.

    Sizes that the model leaves open, the batch first, stay open in the file; one that the computation fixes, such
    as the number of steps that a recurrent layer was traced with, is named in a warning.

    Args:
        model: a built model.
        filepath: where to; ends in ``.pt2`` (`torch.export.load` reads it) or ``.onnx``.
        format: ``"torch"`` or ``"onnx"``; by the ending when not given.
        verbose: whether to say where the file is; true when not given.
        input_signature: shapes and dtypes of the inputs, nested as the model takes them: anything with `shape` and
            `dtype`, such as `InputSpec` or an array. The model's own inputs when not given.
        **kwargs: for ONNX, passed to `torch.onnx.export`, such as ``opset_version=18``.

    Raises:
        ArgumentError: a format that torch does not write, an ending of another one, or a package that is missing.
        NotBuiltError: a subclassed model whose inputs are not known.
    """
    kind, path = _kind(format, may_write(filepath, overwrite=True), kwargs)
    signature = _signature(model, input_signature)
    program = _traced(model, signature)
    with replacing(path) as beside:
        if kind == "torch":
            with beside.open("wb") as file, _quiet():  # torch wonders at weights that lie in memory as it likes them
                torch.export.save(program, file)
        else:
            _write_onnx(program, beside, model, kwargs)
    if verbose is not False:
        say(f"Exported '{model.name}' to {path}.")


def _kind(format: str | None, path: Path, kwargs: Mapping[str, Any]) -> tuple[str, Path]:
    kind = format or next((name for name, ending in _ENDINGS.items() if path.suffix == ending), None)
    if kind in _ELSEWHERE:
        raise ArgumentError(
            f"PyTorch writes no {kind!r} file. Export to 'onnx', from which others convert, or 'torch'."
        )
    if kind not in _ENDINGS:
        raise ArgumentError(
            f"A model is exported to format='torch' (.pt2) or 'onnx' (.onnx), but got {format!r} and {path.name!r}."
        )
    if path.suffix != _ENDINGS[kind]:
        raise ArgumentError(f"A file of format {kind!r} ends in {_ENDINGS[kind]}, but got {path.name!r}.")
    if kind == "torch" and kwargs:
        raise ArgumentError(f"Format 'torch' takes no {', '.join(map(repr, kwargs))}. Leave it out.")
    if kind == "onnx" and find_spec("onnxscript") is None:
        raise ArgumentError("ONNX needs the package onnxscript. Install it: pip install 'ramify[onnx]'.")
    return kind, path


def _signature(model: Model, given: Any) -> Any:
    """Shape and dtype of each input, nested as the model takes them."""
    if given is not None:
        one_in_list = isinstance(given, (list, tuple)) and len(given) == 1 and not isinstance(given[0], (list, dict))
        return given[0] if one_in_list else given
    if not getattr(model, "has_graph", False):
        raise NotBuiltError(
            f"It is not known what {model.name!r} takes, as it is no functional model. Pass "
            "`input_signature=ramify.InputSpec(shape=(None, 8), dtype='float32')`, nested as its inputs are."
        )
    return model.input


def _example(spec: Any) -> torch.Tensor:
    sizes = [(_SIZE if axis else _BATCH) if size is None else size for axis, size in enumerate(spec.shape)]
    return torch.zeros(sizes, dtype=dtypes.to_torch(spec.dtype or dtypes.floatx()))


def _traced(model: Model, signature: Any) -> torch.export.ExportedProgram:
    leaves, nest = pytree.tree_flatten(signature, is_leaf=lambda x: hasattr(x, "shape"))
    device = next((weight.device for weight in model.parameters()), None)
    example = pytree.tree_unflatten([_example(spec).to(device) for spec in leaves], nest)
    auto = torch.export.Dim.AUTO
    free = [{axis: auto for axis, size in enumerate(spec.shape) if size is None} for spec in leaves]
    with _inference(model), _quiet():
        program = torch.export.export(
            model, (example,), dynamic_shapes=(pytree.tree_unflatten(free, nest),), strict=False
        )
    _tell_fixed(program, leaves, free)
    return program


def _tell_fixed(program: torch.export.ExportedProgram, leaves: list[Any], free: list[dict[int, Any]]) -> None:
    names = program.graph_signature.user_inputs
    nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    fixed = []  # an open size is a symbol, such as s27
    for i, (name, axes) in enumerate(zip(names, free, strict=True)):
        shape = nodes[str(name)].meta["val"].shape
        shown = getattr(leaves[i], "name", None) or i
        fixed += [f"axis {axis} of input {shown!r} to {shape[axis]}" for axis in axes if str(shape[axis]).isdigit()]
    if fixed:
        warnings.warn(
            f"The computation fixes {', '.join(fixed)}: the file takes no other size. Pass `input_signature` with the "
            "size you want.",
            stacklevel=4,
        )


@contextmanager
def _inference(model: torch.nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch says of its own insides while it traces and writes."""
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", (DeprecationWarning, FutureWarning, UserWarning))
            yield
    finally:
        logger.setLevel(level)


def _write_onnx(program: torch.export.ExportedProgram, path: Path, model: Model, options: Mapping[str, Any]) -> None:
    names = _onnx_names(model) if getattr(model, "has_graph", False) else {}
    try:
        with _quiet():
            torch.onnx.export(
                program, (), path, dynamo=True, external_data=False, verbose=False, **{**names, **options}
            )
    except torch.onnx.OnnxExporterError as error:
        reason = str(error.__cause__ or error).partition("\n")[0]
        raise ArgumentError(
            f"{model.name!r} computes something that ONNX has no translation of here: {reason} Export to 'torch', or "
            "put another layer in its place."
        ) from error


def _onnx_names(model: Model) -> dict[str, list[str]]:
    """Names of inputs and outputs, in the order in which torch takes structures apart; each once in the file."""
    named = dict(zip(map(id, model.inputs), model.input_names, strict=True))
    inputs = [named[id(x)] for x in pytree.tree_leaves(model.input)]
    named = dict(zip(map(id, model.outputs), model.output_names, strict=True))
    outputs: list[str] = []
    for x in pytree.tree_leaves(model.output):
        name = named[id(x)]
        while name in inputs or name in outputs:
            name += "_output"
        outputs.append(name)
    return {"input_names": inputs, "output_names": outputs}
