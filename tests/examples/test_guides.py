"""Every example runs, says something, and keeps its promise."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"

# script -> what `main` returns holds; words that it prints
PROMISES = {
    "functional_api": (lambda equal: equal > 0.85, "Digits right"),
    "built_in_training": (lambda accuracy: accuracy > 0.93, "DataLoader:  accuracy"),
    "custom_fit": (lambda score: score > 0.88, "nearest neighbours"),
    "torch_loop": (lambda gap: gap < 1e-5, "epoch 5: loop"),
    "transfer_learning": (
        lambda scores: scores["kept"] and scores["tuned"] > scores["frozen"] > scores["fresh"],
        "averages kept: True",
    ),
    "custom_callbacks": (lambda result: result[0] == pytest.approx(result[1], rel=1e-5), "Best epoch"),
    "masking": (lambda accuracy: accuracy > 0.95, "change the predictions by 0.0e+00"),
    "saving": (lambda fine: fine, "The table came back"),
    "gan": (lambda result: abs(result[0] - 2) < 0.3 and result[1] > 50, "quarter of the ring"),
    "vae": (lambda ratio: ratio < 0.7, "out of nothing"),
    "checkpointing": (lambda result: result[0] < 0.3 and result[1], "the last bit: True"),
}


@pytest.mark.parametrize("name", PROMISES)
def test_guide(name, capsys):
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    holds, words = PROMISES[name]
    assert holds(module.main())
    printed = capsys.readouterr().out
    assert words in printed
    assert "\x1b" not in printed


def test_scripts_are_short_and_all_are_tested():
    scripts = {path.stem: path.read_text().count("\n") for path in FOLDER.glob("*.py")}
    assert scripts.keys() - {"digits"} >= PROMISES.keys()
    assert max(scripts[name] for name in PROMISES) < 150
