"""Where things stand: a layered layout, level by level.

Read in this order: `problem`, `ranks`, `order`, `straight`, `place`, `flat`, `nested`.
"""
