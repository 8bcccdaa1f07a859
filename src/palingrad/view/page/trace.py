"""Traces formulas to steps that the page's JavaScript arithmetic can execute.

`f(m, x)` is called with an `m` that computes with NumPy and records each call. A user-defined
operation thus becomes steps of the functions in `maths.js`, like a built-in one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import EllipsisType
from typing import Any

import numpy as np

from ...dtypes import is_boolean, is_integer
from ...maths import numpy_maths
from ...maths.operands import Operand
from ...maths.protocol import ARRAYS, ELEMENTWISE

# The functions that assets/arithmetic/maths.js also implements: all numeric ones except bit shifts.
IN_PAGE = frozenset((*ELEMENTWISE, *ARRAYS)) - {"asarray", "left_shift", "right_shift"}


class Unsupported(Exception):
    """Raised if the page can't compute a formula; the text says why."""


class Tape:
    """A maths namespace that computes and records steps; '%n' refers to step or operand n."""

    def __init__(self, start: int) -> None:
        self.steps: list[list[Any]] = []
        self.start = start  # smaller numbers refer to operands

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
                step.append({key: encode(value) for key, value in options.items()})
            result = self.recorded(step, value)
            if name in ("floor_divide", "mod") and is_integer(np.asarray(value).dtype):
                # The page's numbers are floats; of integers, a quotient by 0 is 0.
                return self.where(self.equal(args[1], 0), 0, result)
            return result

        return call

    def recorded(self, step: list[Any], value: Any) -> Traced:
        """Record a step and return its result."""
        if name_of_bits(step[0]) and not _boolean(value):
            raise Unsupported("the page can't compute bitwise operations on integers")
        self.steps.append(step)
        return Traced(self, self.start + len(self.steps) - 1, value)

    def constant(self, array: Any) -> Traced:
        """Record an array that the formula contains."""
        array = np.asarray(array)
        if array.size > 4096:
            raise Unsupported("its formula contains a large constant")
        return self.recorded(["const", list(array.shape), encode(array.ravel().tolist())], array)


def name_of_bits(name: str) -> bool:
    """Whether the function is bitwise; the page supports these for booleans only."""
    return name.startswith("bitwise_")


def _boolean(value: Any) -> bool:
    return is_boolean(np.asarray(value).dtype)


class Traced(Operand):
    """An array, or a list of arrays, with the number of the step that computed it."""

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
            return self.tape.recorded(["item", encode(self), index], self.value[index])
        return self.tape.slice_of(self, index if isinstance(index, tuple) else (index,))

    def applied(self, name: str, *operands: Any) -> Any:
        return getattr(self.tape, name)(*operands)

    def __bool__(self) -> bool:
        raise Unsupported("its formula branches on values")

    __float__ = __int__ = __index__ = __bool__  # pyright: ignore[reportAssignmentType]


def _plain(argument: Any) -> Any:
    """The argument with each Traced replaced by its value."""
    if isinstance(argument, Traced):
        return argument.value
    if isinstance(argument, (list, tuple)):
        return type(argument)(map(_plain, argument))
    return argument


def encode(value: Any) -> Any:
    """An argument as JSON. Raises Unsupported if JSON can't represent it."""
    if isinstance(value, Traced):
        return f"%{value.place}"
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"number": str(value).replace("inf", "Infinity")}
    if isinstance(value, np.generic):
        return encode(value.item())
    if isinstance(value, slice):
        return {"slice": [value.start, value.stop, value.step]}
    if isinstance(value, EllipsisType):
        return "..."
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [encode(part) for part in value]
    if isinstance(value, np.ndarray):
        return {"array": [list(value.shape), encode(value.ravel().tolist())]}
    raise Unsupported(f"the page has no {type(value).__name__}")
