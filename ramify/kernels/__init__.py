"""Kernels over time that torch lacks on a CPU: each one operation of torch's dispatcher, with its gradient by hand."""
