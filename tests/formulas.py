"""What tests of `m` share: special numbers, and elementwise operations made of formulas."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import palingrad as pg
from palingrad.maths.protocol import ELEMENTWISE

DTYPES = [
    np.dtype(name) for name in ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8")
]
ARITY = {
    name: 3 if name == "where" else getattr(getattr(np, name, np.exp), "nin", 1)
    for name in ELEMENTWISE
    if name != "cast"
} | {"absorbing_product": 2}
UNARY = [name for name, count in ARITY.items() if count == 1]
BINARY = [name for name, count in ARITY.items() if count == 2]
# Whose errors are bounded; all others are NumPy's to the bit.
ROUNDED = {
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp", "sin", "cos", "tan",
    "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh",
    "arctanh", "cbrt", "hypot", "power", "erf", "erfc",
}  # fmt: skip


def numbers(dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Numbers of a dtype: zeros, ones, bounds, and for floats all that isn't finite or normal."""
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        near = [n for n in (-7, -3, -2, -1, 0, 1, 2, 3, 5, 9) if n >= bounds.min]
        return np.array([bounds.min, bounds.min + 1, *near, bounds.max - 1, bounds.max], dtype)
    bounds = np.finfo(dtype)
    sizes = [0.0, bounds.smallest_subnormal, bounds.tiny, 0.3, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 7.0]
    sizes += [bounds.max, np.inf]
    return np.array([*sizes, *(-x for x in sizes), np.nan], dtype)


def pairs(x: Any, y: Any) -> list[Any]:
    """Every number of one with every number of the other."""
    return [np.ascontiguousarray(one.ravel()) for one in np.meshgrid(x, y)]


def own(formula: Callable[..., Any], **members: Any) -> Any:
    """An elementwise operation that a user could have written."""
    return type("Own", (pg.Elementwise,), {"f": formula, **members})


def same(found: Any, expected: Any, units: float = 0) -> str:
    """What tells two arrays apart, in words, beyond so many units in the last place."""
    found, expected = np.asarray(found), np.asarray(expected)
    if (found.dtype, found.shape) != (expected.dtype, expected.shape):
        return f"{found.dtype} {found.shape} for {expected.dtype} {expected.shape}"
    equal = (found == expected) | (found != found) & (expected != expected)
    if found.dtype.kind == "f":
        equal &= (np.signbit(found) == np.signbit(expected)) | (found != found)
        with np.errstate(all="ignore"):
            near = np.abs(found - expected) <= units * np.spacing(np.abs(expected))
        equal |= near & (found != 0) & np.isfinite(expected)
    if equal.all():
        return ""
    places = np.flatnonzero(~equal)
    return f"{found.ravel()[places][:4]} for {expected.ravel()[places][:4]} at {places[:4]}"


def combinations(*operands: Sequence[Any]) -> list[tuple[Any, ...]]:
    """One of each."""
    return list(itertools.product(*operands))
