"""The exceptions that palingrad raises."""

from __future__ import annotations

_LONGEST = 80  # characters of a name in a message
_JOINERS = "\u200c\u200d"  # invisible, but parts of words and emoji


def printable(text: str, longest: int = _LONGEST) -> str:
    r"""`text` on one line that any terminal or file can show: characters that aren't printable
    are written as escapes (\x00, \n, \ud800, \u202e), and the middle of a long text is left out.
    """
    if len(text) > longest:
        end = longest // 3
        text = f"{text[: longest - end - 1]}…{text[-end:]}"
    return _escaped(text, _JOINERS)


def _escaped(text: str, kept: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else ascii(c)[1:-1] for c in text)


class PalingradError(Exception):
    """The base of all of palingrad's exceptions.

    A rule raises only the fact, with an optional `hint`; the operation adds its name, its inputs
    and its origin, and sets `explained`.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        # Names and files may contain anything; a message contains nothing that controls a terminal.
        self.fact = _escaped(message, _JOINERS + "\n")
        self.hint = _escaped(hint, _JOINERS + "\n")
        super().__init__(f"{self.fact} {self.hint}".strip())
        self.explained = False


class ShapeError(PalingradError, ValueError):
    """Incompatible shapes, or an axis that doesn't exist."""


class DTypeError(PalingradError, TypeError):
    """A dtype that an operation doesn't support, or a value that isn't an array of numbers."""


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


class WriteError(PalingradError, OSError):
    """A file that can't be written: a full disk, no permission, an impossible path.

    A file that was there before is intact. `errno` is the system's error number, if it has one.
    """


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
