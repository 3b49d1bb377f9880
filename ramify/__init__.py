"""Neural networks that branch."""
