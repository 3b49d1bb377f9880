"""The house stands as it was drawn: imports point one way, nothing goes in circles, files stay readable."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ramify"

# From the ground up. A part may import the tiers below its own and itself, nothing beside it and nothing above.
TIERS = (
    ("errors", "version", "lazy", "startup"),
    ("registry", "dtypes", "naming", "scopes", "seeds", "image_format", "settings", "heap", "text"),
    ("variables", "dtype_policies", "random_states", "window_shapes"),
    ("graph",),
    ("activations", "promotion", "foreign", "kernels"),
    ("ops",),
    ("random",),
    ("initializers", "regularizers", "constraints", "quantizers"),
    ("losses", "optimizers"),
    ("metrics",),
    ("layers",),
    ("passes",),
    ("models",),
    ("callbacks",),
    ("training",),
    ("saving", "visualize", "export", "distribution", "config", "tree", "mixed_precision"),
    ("utils",),
    ("applications", "datasets", "preprocessing", "visualization", "wrappers"),
    ("backend",),
    ("",),  # ramify/__init__.py, which joins the parts
    ("cli",),
    ("__main__",),
)
TIER_OF = {part: tier for tier, parts in enumerate(TIERS) for part in parts}

# The one place that reaches up: it joins training, saving and looking to `Model`. It still may not go in a circle.
JOINT = "ramify.models.model"

# May be imported inside a function: what a user need not have, torch's own optional part included.
OPTIONAL = set(
    "IPython PIL flax jax keras matplotlib onnx pandas pydot resvg_py scipy sklearn tensorflow "
    "torch.distributed torch.utils.tensorboard".split()
)

_LAZY = ("lazy", "_lazy")  # what imports a module when it is used

MAX_FILE, MAX_GRAPH = 400, 1_500


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8"), str(path)) for name, path in MODULES.items()}


def part_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def targets(module: str, statement: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The modules that an import statement names, the absolute name of each."""
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names)
        return
    base = statement.module or ""
    if statement.level:
        package = module.split(".") if MODULES[module].name == "__init__.py" else module.split(".")[:-1]
        kept = package[: len(package) - statement.level + 1]
        base = ".".join([*kept, base] if base else kept)
    for alias in statement.names:
        inner = f"{base}.{alias.name}"
        yield inner if inner in MODULES else base


def is_lazy(node: ast.AST) -> bool:
    """Whether a call names a module that is imported when it is used."""
    named = isinstance(node, ast.Call) and ast.unparse(node.func) in _LAZY
    return named and len(node.args) == 1 and isinstance(node.args[0], ast.Constant)


def imports(module: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield from ((statement.lineno, target) for target in targets(module, statement))
        elif is_lazy(statement):
            yield statement.lineno, ast.literal_eval(statement.args[0])


def own_imports(module: str) -> list[tuple[int, str]]:
    return [(line, target) for line, target in imports(module, TREES[module]) if target in MODULES]


def run_imports(module: str) -> set[str]:
    """The modules that importing this one runs: not those that only the type checker reads, or that come when used."""
    blocks = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.If)]
    typing_only = {
        line
        for block in blocks
        if ast.unparse(block.test).endswith("TYPE_CHECKING")
        for line in range(block.lineno, block.end_lineno + 1)
    }
    later = {call.lineno for call in ast.walk(TREES[module]) if is_lazy(call)}
    return {target for line, target in own_imports(module) if line not in typing_only | later and target != module}


def where(module: str, line: int) -> str:
    return f"{MODULES[module].relative_to(ROOT)}:{line}"


def test_every_part_has_a_tier():
    unknown = {part_of(module) for module in MODULES} - set(TIER_OF)
    assert not unknown, f"say in TIERS where these stand: {sorted(unknown)}"


def test_imports_point_one_way():
    wrong = []
    for module in set(MODULES) - {JOINT}:
        own = part_of(module)
        for line, target in own_imports(module):
            part = part_of(target)
            if part != own and TIER_OF[part] >= TIER_OF[own]:
                wrong.append(f"{where(module, line)}: {own or 'ramify'} imports {target}")
    assert not wrong, "imports that point up or sideways:\n" + "\n".join(wrong)


def test_no_module_imports_itself_in_a_circle():
    try:
        TopologicalSorter({module: run_imports(module) for module in MODULES}).prepare()
    except CycleError as error:
        pytest.fail("a circle of imports: " + " <- ".join(error.args[1]))


def test_imports_inside_functions_are_of_optional_dependencies():
    wrong = set()
    for module, tree in TREES.items():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                wrong |= {
                    f"{where(module, line)}: {target}"
                    for line, target in imports(module, function)
                    if not any(f"{target}.".startswith(f"{name}.") for name in OPTIONAL)
                }
    assert not wrong, "imports inside functions:\n" + "\n".join(sorted(wrong))


def test_files_stay_readable():
    long = {str(path.relative_to(ROOT)): lines for path in MODULES.values() if (lines := count(path)) > MAX_FILE}
    assert not long, f"files over {MAX_FILE} lines: {long}"


def test_the_heart_stays_small():
    assert sum(count(path) for path in (PACKAGE / "graph").rglob("*.py")) < MAX_GRAPH


def count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("import ramify.graph", ["ramify.graph"]),
        ("from ramify import errors", ["ramify.errors"]),
        ("from ramify.errors import RamifyError", ["ramify.errors"]),
        ("from . import errors", ["ramify.errors"]),
        ("from .errors import RamifyError", ["ramify.errors"]),
    ],
)
def test_the_reader_of_imports_resolves_names(statement, expected):
    assert list(targets("ramify.dtypes", ast.parse(statement).body[0])) == expected
