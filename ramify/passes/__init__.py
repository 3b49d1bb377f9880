"""Rewrites of what a model does in one call, each proven equal by a test, and what runs the result."""

from ramify.passes.catalogue import PASSES, TITLES, checked, rewrite
from ramify.passes.plan import Plan
from ramify.passes.recording import RecordingError, record

__all__ = ["PASSES", "TITLES", "Plan", "RecordingError", "checked", "record", "rewrite"]
