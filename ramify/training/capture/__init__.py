"""A step recorded once, as the flat list of operations it came down to, and run again without what led there.

`record.py` writes down the operations of a real step; `program.py` says what a program is; `rewrite.py` and `budget.py`
make it leaner; `generate.py` turns it into a function.
"""
