"""Where metrics and their functions are registered: `MODULE` holds classes, by their own names and by short ones."""

from __future__ import annotations

MODULE = "keras.metrics"
FUNCTIONS = "keras.metrics.functions"
