"""Training: what `compile` says, the steps, the loops over data."""
