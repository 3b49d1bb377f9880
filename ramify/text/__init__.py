"""Strings without tensors: how they are cleaned and split, counted and hashed. What the layers of text stand on."""
