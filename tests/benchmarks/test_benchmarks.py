"""The code of the benchmarks runs: the models by hand are the same functions, and a whole run makes its tables."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
LARGE = {"resnet50", "transformer12", "thousand"}


@pytest.fixture
def worker(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield importlib.import_module("worker")
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(FOLDER) in str(sys.modules[name].__file__):
            del sys.modules[name]


def names(large):
    return [pytest.param(name, marks=pytest.mark.slow if large else ()) for name in sorted(large or SMALL)]


SMALL = {"mlp", "siamese", "branching", "wide_deep", "inception", "unet", "lstm", "resnet20", "transformer"}


@pytest.mark.bench
@pytest.mark.parametrize("workload", names(set()) + names(LARGE))
def test_models_by_hand_are_the_same_functions(worker, workload):
    assert worker.difference("ramify", workload) < 1e-4


@pytest.mark.bench
def test_a_tiny_run_makes_its_tables(worker, tmp_path, capsys):
    run = importlib.import_module("run")
    out = tmp_path / "figures.json"
    options = "--backends= --workloads siamese --measures train,sample --rounds 1 --seconds 0 --warmup 0 --fresh 0"
    run.main([*options.split(), "--depths", "20", "--threads", "1", "--out", str(out)])
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert figures["notes"] == []
    assert set(figures["seconds"]["siamese"]["train"]) == {"ramify", "by hand"}
    assert "Siamese" in capsys.readouterr().out


@pytest.mark.bench
def test_first_steps_memory_growth_and_limits_are_measured(worker):
    for library in ("ramify", "by hand"):
        assert set(worker.first(library, "branching")) == {"build", "first step"}
        assert worker.memory(library, "branching", "train") >= 0
    assert worker.growth("ramify", "depth", 3, 0) > 0
    assert set(worker.limits()) == {"GFLOP/s", "GB/s"}
