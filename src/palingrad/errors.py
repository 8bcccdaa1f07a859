"""The exceptions that palingrad raises."""

from __future__ import annotations

import re

_LONGEST = 80  # characters of a name in a message
_MESSAGE = 8000  # characters of a message; beyond that, words are shortened
_WORD = r"\S{400,}"
_JOINERS = "\u200c\u200d"  # invisible, but parts of words and emoji


def printable(text: str, longest: int = _LONGEST) -> str:
    r"""`text` on one line that any terminal or file can show: characters that aren't printable
    are written as escapes (\x00, \n, \ud800, \u202e), and the middle of a long text is left out.
    """
    return _escaped(_shortened(text, longest), _JOINERS)


def quoted(text: str) -> str:
    """`text` as a Python string, of which the middle is left out if it is long."""
    return repr(_shortened(text, _LONGEST))


def _shortened(text: str, longest: int) -> str:
    end = longest // 3
    return text if len(text) <= longest else f"{text[: longest - end - 1]}…{text[-end:]}"


def _escaped(text: str, kept: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else ascii(c)[1:-1] for c in text)


def _message(text: str) -> str:
    """`text` as a message: names and files may contain anything, but a message has a bounded length
    and nothing in it that controls a terminal."""
    if len(text) > _MESSAGE:
        text = _shortened(re.sub(_WORD, lambda word: _shortened(word[0], 200), text), _MESSAGE)
    return _escaped(text, _JOINERS + "\n")


class PalingradError(Exception):
    """The base of all of palingrad's exceptions.

    A rule raises only the fact, with an optional `hint`; the operation adds its name, its inputs
    and its origin, and sets `explained`.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        end = "." if hint and message[-1:] not in ".?!" else ""
        self.fact, self.hint = _message(message), _message(hint)
        super().__init__(f"{self.fact}{end} {self.hint}".strip())
        self.explained = False
        self.noted = False  # whether a note says in which module it was raised


class ShapeError(PalingradError, ValueError):
    """Incompatible shapes."""


class OutOfRangeError(ShapeError, IndexError):
    """An index beyond the size of its axis, or an axis that does not exist."""


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


class ProcessError(PalingradError, RuntimeError):
    """Several processes that can't compute together: one has died, hangs, or does other things."""


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


class ConvergenceError(PalingradError, ArithmeticError):
    """A solver that found no solution to its tolerance."""


class TapeError(PalingradError, RuntimeError):
    """A node or step that isn't on a tape, or a file that isn't a tape."""


class OnnxError(PalingradError, ValueError):
    """A model that can't be written as ONNX, or an ONNX file that can't be read."""
