"""The code of the benchmarks runs: the models by hand are the same functions, and a run in pieces makes its tables."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).parents[2] / "benchmarks"
SMALL = {"mlp", "siamese", "branching", "wide_deep", "inception", "unet", "lstm", "gru", "resnet20", "transformer"}
LARGE = {"resnet50", "transformer12", "thousand"}


@pytest.fixture
def bench(monkeypatch):
    """Imports a module of the benchmarks, which are no package."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(FOLDER) in str(getattr(sys.modules[name], "__file__", None)):
            del sys.modules[name]


def test_every_workload_is_tested(bench):
    assert set(bench("workloads").WORKLOADS) == SMALL | LARGE == set(bench("by_hand").MODELS)


@pytest.mark.bench
@pytest.mark.parametrize(
    "workload", [*sorted(SMALL), *(pytest.param(name, marks=pytest.mark.slow) for name in sorted(LARGE))]
)
def test_models_by_hand_are_the_same_functions(bench, workload):
    assert bench("worker").difference("ramify", workload) < 1e-4


@pytest.mark.bench
def test_a_run_joins_its_figures_to_those_of_others_and_makes_tables(bench, tmp_path, capsys):
    into = tmp_path / "figures.json"
    times = {"train": {"ramify": [0.001], "by hand": [0.002]}}
    into.write_text(json.dumps({"seconds": {"branching": times}, "notes": []}), encoding="utf-8")
    command = "--backends= --without compiled --workloads siamese --parts times,builds --depths 20 --threads 1"
    effort = "--rounds 3 --seconds 0 --warmup 0 --minutes 0"
    bench("run").main([*command.split(), *effort.split(), "--into", str(into)])
    figures = json.loads(into.read_text(encoding="utf-8"))
    assert figures["notes"] == []
    assert set(figures["seconds"]) == {"siamese", "branching"}
    assert {name: len(r) for name, r in figures["seconds"]["siamese"]["train"].items()} == {"ramify": 2, "by hand": 2}
    capsys.readouterr()
    bench("run").main(["--report", str(into)])
    told = capsys.readouterr().out
    assert "Siamese towers, batch 32: training step" in told
    assert "2.00 [2.00, 2.00] met (1)" in told
    assert "| 20 " in told


@pytest.mark.bench
def test_first_steps_memory_growth_and_limits_are_measured(bench):
    worker = bench("worker")
    for library in ("ramify", "by hand"):
        assert set(worker.fresh(library, "branching", "train")) == {"build, s", "first step, s", "train, MiB"}
        assert set(worker.fresh(library, "branching", "predict")) == {"predict, MiB"}
    assert worker.growth("ramify", "depth", 3, 0) > 0
    assert set(bench("limits").machine()) == {"GFLOP/s", "GB/s"}


def test_operations_are_counted(bench):
    found = bench("limits").flops("mlp")
    weights = 784 * 64 + 64 * 64 + 64 * 10
    assert found["predict"]["flop"] == 2 * 32 * weights
    assert found["train"]["flop"] == 2 * 32 * (3 * weights - 784 * 64)  # no gradient of the input
    assert found["sample"] == {"flop": 2 * weights, "bytes": 4 * (weights + 64 + 64 + 10)}
    recurrent = bench("limits").flops("gru")
    assert recurrent["train"]["flop"] == 3 * recurrent["predict"]["flop"] > 0


def test_goals_and_ratios(bench):
    report = bench("report")
    times = {
        "ramify": [1.0, 2.0, 1.0],
        "keras-jax": [2.0, 2.0, 3.0],
        "keras-torch": [9.0, 9.0, 9.0],
        "by hand": [1.0] * 3,
    }
    assert report.best_keras(times) == "keras-jax"
    assert report.speedups(times, "keras-jax") == [1.0, 2.0, 3.0]
    assert report.against(times, "keras-jax", 1.3) == "2.00 [1.00, 3.00] met (1.3)"
    assert report.against(times, "by hand", 1.3) == "1.00 [0.50, 1.00] MISSED (1.3)"
    assert report.against(times, None, 1.3) == "–"
    assert report.goal("resnet50", "predict", "by hand") == 1.2
    assert report.share({"flop": 1e9, "bytes": 0.0}, {"GFLOP/s": 100.0, "GB/s": 10.0}, 0.02) == 0.5


def test_newer_figures_take_the_place_of_older_ones(bench):
    old = {"seconds": {"mlp": {"train": {"a": [2.0]}, "predict": {"a": [1.0]}}}, "notes": ["one"], "threads": 1}
    new = {"seconds": {"mlp": {"train": {"b": [1.0]}}}, "notes": ["one", "two"], "threads": 2}
    both = bench("results").merged(old, new)
    assert both["seconds"] == {"mlp": {"train": {"b": [1.0]}, "predict": {"a": [1.0]}}}
    assert both["notes"] == ["one", "two"]
    assert both["threads"] == 2


@pytest.mark.bench
def test_the_gpu_page_runs_on_whatever_device_there_is(bench):
    torch = importlib.import_module("torch")
    gpu, cpu = bench("gpu"), torch.device("cpu")
    times = gpu.measured("mlp", 4, cpu, rounds=1, calls=1)
    assert set(times) == {"ramify", "ramify, eagerly", "by hand, compiled"}
    line = gpu.row("mlp", 4, "ramify", [0.5], 1e6)
    assert line[:4] == ["mlp, batch 4", "ramify", "500", "8 samples/s"]
    assert line[4] == f"{2 * 4 * (2 * 784 * 64 + 3 * (64 * 64 + 64 * 10)) / 0.5 / 1e6:.1%}"
    assert gpu.peak_of(cpu, 32) > 0


def test_convolutions_by_hand_are_those_of_the_layers(bench, monkeypatch, capsys):
    module = bench("convolutions")
    for make in module.CASES.values():
        layer, hand, (_, *sides, channels) = make()
        shape = (1, *(15 for _ in sides), channels)
        layer.build(shape)
        rank = len(sides)
        with torch.no_grad():
            for own, other in zip(layer.trainable_weights, hand.parameters(), strict=True):
                deep = own.ndim > 1 and "depthwise" in type(layer).__name__.lower() + own.name
                axes = (rank, rank + 1) if deep else (rank + 1, rank)
                turned = own.permute(*axes, *range(rank)) if own.ndim > 1 else own
                other.copy_(turned.reshape(other.shape))
            x = torch.randn(shape)
            torch.testing.assert_close(layer(x).movedim(-1, 1), hand(x.movedim(-1, 1)), rtol=1e-3, atol=1e-3)
    threads = torch.get_num_threads()
    monkeypatch.setattr(sys, "argv", ["convolutions.py", "--rounds", "1", "--seconds", "0", "--only", "sequences"])
    module.main()
    torch.set_num_threads(threads)
    assert [line[:9] for line in capsys.readouterr().out.splitlines()[2:]] == ["sequences"]
