"""Formulas written down as steps that the page's own arithmetic can repeat.

`f(m, x)` is called with an `m` that computes as NumPy does and notes each call: an operation that
was never heard of becomes steps of the names in `maths.js` just as a built-in one does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import EllipsisType
from typing import Any

import numpy as np

from ...dtypes import is_boolean
from ...maths import numpy_maths
from ...maths.operands import Operand
from ...maths.protocol import ARRAYS, ELEMENTWISE

# The names that assets/maths.js has, too: all that work on numbers, but for shifts of their bits.
IN_PAGE = frozenset((*ELEMENTWISE, *ARRAYS)) - {"asarray", "left_shift", "right_shift"}


class Unsupported(Exception):
    """The page can't do this; the text says what."""


class Tape:
    """The maths namespace that computes and notes. Steps refer to earlier ones as '%number'."""

    def __init__(self, start: int) -> None:
        self.steps: list[list[Any]] = []
        self.start = start  # numbers below are operands

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in IN_PAGE:
            raise Unsupported(f"the page has no {name}")

        def call(*args: Any, **options: Any) -> Any:
            with np.errstate(all="ignore"):
                value = getattr(numpy_maths, name)(*map(_plain, args), **options)
            step: list[Any] = [name, *map(encode, args)]
            if options:
                step.append({key: encode(one) for key, one in options.items()})
            return self.noted(step, value)

        return call

    def noted(self, step: list[Any], value: Any) -> Traced:
        """The result of one more step."""
        if name_of_bits(step[0]) and not _boolean(value):
            raise Unsupported("the page has no bits of integers")
        self.steps.append(step)
        return Traced(self, self.start + len(self.steps) - 1, value)

    def constant(self, array: Any) -> Traced:
        """An array that is part of the formula."""
        array = np.asarray(array)
        if array.size > 4096:
            raise Unsupported("a constant inside is too large")
        return self.noted(["const", list(array.shape), encode(array.ravel().tolist())], array)


def name_of_bits(name: str) -> bool:
    """Whether the function works on bits, which the page only has for booleans."""
    return name.startswith("bitwise_")


def _boolean(value: Any) -> bool:
    return is_boolean(np.asarray(value).dtype)


class Traced(Operand):
    """An array, or a list of them, together with where on the tape it came from."""

    __array_ufunc__ = None  # NumPy leaves operators to this class
    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __init__(self, tape: Tape, place: int, value: Any) -> None:
        self.tape, self.place, self.value = tape, place, value

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        return np.ndim(self.value)

    @property
    def size(self) -> int:
        return int(np.size(self.value))

    @property
    def dtype(self) -> Any:
        return np.asarray(self.value).dtype

    def __getitem__(self, index: Any) -> Traced:
        if isinstance(self.value, (list, tuple)):
            return self.tape.noted(["item", encode(self), index], self.value[index])
        return self.tape.slice_of(self, index if isinstance(index, tuple) else (index,))

    def applied(self, name: str, *operands: Any) -> Any:
        return getattr(self.tape, name)(*operands)

    def __bool__(self) -> bool:
        raise Unsupported("its formula decides by values")

    __float__ = __int__ = __index__ = __bool__  # pyright: ignore[reportAssignmentType]


def _plain(argument: Any) -> Any:
    """The argument as NumPy takes it."""
    if isinstance(argument, Traced):
        return argument.value
    if isinstance(argument, (list, tuple)):
        return type(argument)(map(_plain, argument))
    return argument


def encode(one: Any) -> Any:
    """An argument as JSON; Unsupported where there is no way to write it."""
    if isinstance(one, Traced):
        return f"%{one.place}"
    if one is None or isinstance(one, (bool, int)):
        return one
    if isinstance(one, float):
        return one if math.isfinite(one) else {"number": str(one).replace("inf", "Infinity")}
    if isinstance(one, np.generic):
        return encode(one.item())
    if isinstance(one, slice):
        return {"slice": [one.start, one.stop, one.step]}
    if isinstance(one, EllipsisType):
        return "..."
    if isinstance(one, np.dtype):
        return one.name
    if isinstance(one, Sequence) and not isinstance(one, str):
        return [encode(part) for part in one]
    if isinstance(one, np.ndarray):
        return {"array": [list(one.shape), encode(one.ravel().tolist())]}
    raise Unsupported(f"the page has no {type(one).__name__}")
