"""The subscripts of `einsum`: their notation, and the labels and sizes of axes that they mean."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ...errors import ArgumentError, ShapeError
from ...shapes import Dim, Shape, text

Labels = tuple[str, ...]  # one for each axis; those of an ellipsis are "...2", "...1" from the left

# In the order of their code points, in which implicit outputs are sorted.
LETTERS = string.ascii_uppercase + string.ascii_lowercase
_HINT = "A matrix product is 'ij,jk->ik'."


def written(subscripts: Any, count: int) -> str:
    """Subscripts for `count` operands without spaces, checked as far as no shape is needed."""
    if not isinstance(subscripts, str):
        raise ArgumentError(f"einsum: subscripts are {subscripts!r:.40}, not text.", hint=_HINT)
    plain = "".join(subscripts.split())
    inputs, arrow, output = plain.partition("->")
    terms = inputs.split(",")
    for term in [*terms, output]:
        rest = term.replace("...", "", 1)
        wrong = next((sign for sign in rest if sign not in LETTERS), "")
        if wrong:
            raise ArgumentError(
                f"einsum: {wrong!r} in {subscripts!r} isn't a letter, '...', ',' or '->'.",
                hint=_HINT,
            )
    if len(terms) != count:
        raise ArgumentError(
            f"einsum: {subscripts!r} is for {len(terms)} operands, got {count}.", hint=_HINT
        )
    if arrow:
        _check_output(subscripts, terms, output)
    return plain


def _check_output(subscripts: str, terms: Sequence[str], output: str) -> None:
    letters = output.replace("...", "")
    for letter, times in Counter(letters).items():
        if times > 1:
            raise ArgumentError(
                f"einsum: {letter!r} is in the output of {subscripts!r} twice.",
                hint="To put a vector on a diagonal, multiply it by np.eye(n).",
            )
        if not any(letter in term for term in terms):
            raise ArgumentError(
                f"einsum: {letter!r} is in the output of {subscripts!r} and in no operand."
            )


def from_sublists(arguments: Sequence[Any]) -> tuple[list[Any], str]:
    """Operands and subscripts of einsum(x, [0, 1], y, [1, 2], [0, 2])."""
    whole, odd = divmod(len(arguments), 2)
    operands = list(arguments[: 2 * whole : 2])
    terms = [_letters(labels) for labels in arguments[1 : 2 * whole : 2]]
    subscripts = ",".join(terms)
    return operands, f"{subscripts}->{_letters(arguments[-1])}" if odd else subscripts


def _letters(labels: Any) -> str:
    fact = f"einsum: expected a list of integers from 0 to 51, got {labels!r:.40}."
    hint = "Write pg.einsum('ij,jk->ik', x, y), or pg.einsum(x, [0, 1], y, [1, 2], [0, 2])."
    if not isinstance(labels, (list, tuple)):
        raise ArgumentError(fact, hint=hint)
    result = ""
    for label in labels:
        if label is Ellipsis:
            result += "..."
        elif isinstance(label, int) and 0 <= label < len(LETTERS):
            result += LETTERS[label]
        else:
            raise ArgumentError(fact, hint=hint)
    return result


def labels_of(subscripts: str, ranks: Sequence[int]) -> tuple[list[Labels], Labels]:
    """The labels of each operand's axes and of the output's, for operands of these ranks."""
    inputs, arrow, output = subscripts.partition("->")
    terms = inputs.split(",")
    operands = [
        _expanded(term, rank, f"operand {place}")
        for place, (term, rank) in enumerate(zip(terms, ranks, strict=True))
    ]
    rest = max((sum(len(label) > 1 for label in labels) for labels in operands), default=0)
    dots = tuple(f"...{place}" for place in range(rest, 0, -1))
    if not arrow:  # implicit: the letters that occur once, sorted
        counts = Counter(letter for term in terms for letter in term if letter != ".")
        return operands, (*dots, *sorted(letter for letter, n in counts.items() if n == 1))
    if dots and "..." not in output:
        raise ShapeError(
            f"subscripts {subscripts!r}: the axes of '...' aren't in the output",
            hint="Name them by letters to sum over them, or write '...' in the output.",
        )
    before, ellipsis, after = output.partition("...")
    return operands, (*before, *(dots if ellipsis else ()), *after)


def _expanded(term: str, rank: int, which: str) -> Labels:
    before, dots, after = term.partition("...")
    rest = rank - len(before) - len(after)
    if rest < 0 or (rest and not dots):
        raise ShapeError(f"subscripts {term!r} name {len(before + after)} axes of {which}, "
                         f"which has {rank}", hint="'...' stands for the axes not named."
                         if rest > 0 else "")  # fmt: skip
    return (*before, *(f"...{place}" for place in range(rest, 0, -1)), *after)


def sizes_of(operands: Sequence[Labels], shapes: Sequence[Shape]) -> dict[str, Dim]:
    """The size of each label; a size of 1 broadcasts. Raises ShapeError if two sizes differ."""
    found: dict[str, Dim] = {}
    for place, (labels, shape) in enumerate(zip(operands, shapes, strict=True)):
        own: dict[str, Dim] = {}
        for label, size in zip(labels, shape, strict=True):
            before = own.setdefault(label, size)
            if None not in (before, size) and before != size:
                raise ShapeError(f"axes {label!r} of operand {place} have sizes {before} and "
                                 f"{size}: {text(shape)} has no such diagonal")  # fmt: skip
        for label, size in own.items():
            before = found.setdefault(label, size)
            if before == 1 or (before is None and size != 1):
                found[label] = size
            elif None not in (before, size) and size not in (1, before):
                axis = "axes '...'" if label.startswith(".") else f"axis {label!r}"
                raise ShapeError(f"{axis} has size {before} and, in operand {place}, {size}")
    return found
