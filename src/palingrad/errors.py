"""The exceptions that palingrad raises."""

from __future__ import annotations


class PalingradError(Exception):
    """The base of all of palingrad's exceptions.

    A rule raises only the fact, with an optional `hint`; the operation adds its name, its inputs
    and its origin, and sets `explained`.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        end = "." if hint and message[-1:] not in ".?!" else ""
        super().__init__(f"{message}{end} {hint}".strip())
        self.fact = message
        self.hint = hint
        self.explained = False
        self.noted = False  # whether a note says in which module it was raised


class ShapeError(PalingradError, ValueError):
    """Incompatible shapes, or an axis that doesn't exist."""


class DTypeError(PalingradError, TypeError):
    """A dtype that an operation doesn't support, or a value that isn't an array of numbers."""


class ArgumentError(PalingradError, TypeError, ValueError):
    """An argument that is unknown, missing, of the wrong type or outside its range."""


class UnknownNameError(PalingradError, AttributeError):
    """A name that a module or class doesn't have: misspelt, or of another library."""


class GraphError(PalingradError, RuntimeError):
    """An invalid use of a node or graph: no value yet, a node of another graph, an unknown name."""


class FeedError(PalingradError, ValueError):
    """A feed that is missing, unknown, or incompatible with its placeholder."""


class GradientError(PalingradError, ValueError):
    """A derivative that doesn't exist, or an invalid request for one."""


class EngineError(PalingradError, RuntimeError):
    """An engine that isn't available or can't run a program."""


class DataError(PalingradError, OSError):
    """A data set that is missing, corrupt or doesn't match its checksum."""


class CheckpointError(PalingradError, OSError):
    """A checkpoint that is missing, corrupt or belongs to another model."""


class NonFiniteError(PalingradError, ArithmeticError):
    """A NaN or an infinity in a result, with its origin, its reason and a rewrite that avoids it.

    `node` is the operation that first produced it and `element` its index there; `during` is
    "forward", "backward" or "update".
    """

    node: object = None
    element: tuple[int, ...] = ()
    reason: str = ""
    rewrite: str = ""
    during: str = ""


class TapeError(PalingradError, RuntimeError):
    """A node or step that isn't on a tape, or a file that isn't a tape."""
