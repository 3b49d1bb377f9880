"""Recomputation."""
from typing import Any
from ramify.training.capture.program import Program
def within_budget(program: Program, budget: float) -> Program:
    return program
