"""Which engine runs a model's steps."""

from __future__ import annotations

from typing import Any

import torch

from ramify.training.capture.engine import CapturedEngine
from ramify.training.engine import EagerEngine, Engine

PATIENCE = 8
"""Steps that ``jit_compile="auto"`` runs as they are, before it tries whether replaying them is faster."""


def engine_for(model: Any) -> Engine:
    """The way to run a model's steps, by what `compile` was told.

    Args:
        model: the compiled model, or one that only predicts.
    """
    jit_compile, budget = model._jit_compile, model.memory_budget  # noqa: SLF001 - the property reads as in Keras
    if model.run_eagerly:
        return EagerEngine(model, why="run_eagerly=True")
    if not model.compiled:
        return EagerEngine(model, why="the model is not compiled")
    if jit_compile is True:
        return EagerEngine(model, torch.compile(model), why="jit_compile=True")
    if jit_compile == "captured" or budget is not None:
        return CapturedEngine(model, memory_budget=budget)
    if jit_compile == "auto":
        return CapturedEngine(model, eager_steps=PATIENCE, measure=True)
    return EagerEngine(model, why=f"jit_compile={jit_compile}")
