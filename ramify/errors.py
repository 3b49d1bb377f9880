"""Every exception that Ramify raises on purpose.

::

    RamifyError
    ├── GraphError (ValueError)          a graph that cannot be what was asked for
    │   ├── DisconnectedError            an output that the inputs do not reach
    │   └── DuplicateNameError           two layers or inputs of one name
    ├── ShapeError (ValueError)          sizes or ranks that do not fit
    ├── UnknownSizeError (TypeError)     Python code that needs a size which is not known yet
    ├── SymbolicValueError (TypeError)   a symbolic tensor used where numbers are needed
    ├── InputError (TypeError, ValueError)  something that is no tensor where a tensor belongs
    ├── NotBuiltError (ValueError)       weights asked for before they exist
    ├── ArgumentError (ValueError)       a constructor or method argument out of its range
    ├── NotCompiledError (ValueError)    training asked of a model without a loss and an optimizer
    ├── WorkerError (RuntimeError)       a process that made batches died
    └── FileFormatError (ValueError)     a file that is damaged or of another kind
        └── UnsafeFileError              a file that asks for code to be run

The bases in parentheses let code that was written for Keras or PyTorch (``except ValueError``) go on working.
Messages say what is wrong, where, and how to mend it, in that order.
"""

from __future__ import annotations


class RamifyError(Exception):
    """The base of them all."""


class GraphError(RamifyError, ValueError):
    """A graph that cannot be what was asked for."""


class DisconnectedError(GraphError):
    """An output that cannot be computed from the given inputs."""


class DuplicateNameError(GraphError):
    """Two layers, or two inputs, of one model with the same name."""


class ShapeError(RamifyError, ValueError):
    """Shapes, ranks or dtypes that do not fit what the layer or operation takes."""


class UnknownSizeError(RamifyError, TypeError):
    """Python code that branches on, or converts to a number, a size that is not known yet."""


class SymbolicValueError(RamifyError, TypeError):
    """A symbolic tensor used where the numbers of a real one are needed."""


class InputError(RamifyError, TypeError, ValueError):
    """A value that is no tensor, in a place where a tensor belongs."""


class NotBuiltError(RamifyError, ValueError):
    """Weights asked for before the layer knows their shapes."""


class ArgumentError(RamifyError, ValueError):
    """An argument outside the values that it may take."""


class NotCompiledError(RamifyError, ValueError):
    """`fit`, `evaluate` or the like on a model that was not compiled."""


class WorkerError(RamifyError, RuntimeError):
    """A process that made batches died, killed by the system or by a crash."""


class FileFormatError(RamifyError, ValueError):
    """A model or weights file that is damaged, incomplete or of another kind."""


class UnsafeFileError(FileFormatError):
    """A file whose loading would run code that the file brings along."""
