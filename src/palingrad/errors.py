"""Every error that palingrad raises on purpose: what was expected, what came, and where."""

from __future__ import annotations


class PalingradError(Exception):
    """The base of all errors that palingrad raises on purpose.

    A rule raises the bare fact, perhaps with a `hint`; the operation adds its name, inputs and
    origin.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.fact = message
        self.hint = hint
        self.explained = False


class ShapeError(PalingradError, ValueError):
    """Shapes that don't fit together, or an axis that isn't there."""


class DTypeError(PalingradError, TypeError):
    """A dtype that an operation can't take, or a value that is no array of numbers."""


class GraphError(PalingradError, RuntimeError):
    """A node used where it can't be: no value yet, another graph, a name that isn't there."""


class FeedError(PalingradError, ValueError):
    """A feed that is missing, unknown, or doesn't fit its placeholder."""


class GradientError(PalingradError, ValueError):
    """A derivative that doesn't exist or was asked for in a way that can't be meant."""


class EngineError(PalingradError, RuntimeError):
    """An engine that isn't there or can't run a program."""


class DataError(PalingradError, OSError):
    """A data set that is missing, broken or not what its hash says."""


class CheckpointError(PalingradError, OSError):
    """A checkpoint that is missing, broken or made for another model."""


class NonFiniteError(PalingradError, ArithmeticError):
    """A NaN or an infinity that reached a result: where it began, why, and what to write instead.

    `node` is the operation that made it, `element` its index there, `reason` and `rewrite` say it
    in words; `during` is "forward", "backward" or "update".
    """

    node: object = None
    element: tuple[int, ...] = ()
    reason: str = ""
    rewrite: str = ""
    during: str = ""


class TapeError(PalingradError, RuntimeError):
    """Something that isn't on a tape, or a file that holds none."""
