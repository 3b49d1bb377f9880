"""Kernels over time: how torch wants its own called (`over_time.py`), and one that it lacks on a CPU (`gru.py`)."""
