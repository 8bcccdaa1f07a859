"""NumPy's maths namespace, in which every function that engines round differently is off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from fuzzing.program import Array
from palingrad.maths import numpy_maths
from palingrad.maths.library.scans import wider

# Functions that engines round differently, as in the table of docs/native.md. What isn't here, +,
# −, ×, / and √ among it, is rounded as IEEE 754 says: the same bits everywhere.
_ROUNDED = """
    arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt cos cosh erf erfc exp exp2 expm1
    hypot log log10 log1p log2 power sin sinh tan tanh
""".split()
_CHOSEN = "max maximum min minimum".split()
_FACTORED = "cholesky cholesky_slope lu_factor lu_solve solve solve_triangular".split()


@dataclass(frozen=True)
class Shaken:
    """By how many units in the last place functions are off, and which sign an open 0 has.

    With no units only that sign is open: of 0 and −0 neither is the larger one, and a sum of zeros
    begins with 0 or with a term. None: either sign, at random.
    """

    rng: np.random.Generator
    ulps: float
    sign: float | None

    def maths(self) -> Any:
        """The namespace."""
        functions: dict[str, Any] = {name: self._rounded(name) for name in _ROUNDED}
        functions |= {name: self._chosen(name) for name in _CHOSEN}
        functions |= {name: self._factored(name) for name in _FACTORED}
        own = (self.logaddexp, self.sum, self.prod, self.matmul, self.unwindowed, self.place)
        scans = (self.running_sum, self.running_prod, self.running_recurrence, self.run_totals)
        for one in own + scans:
            functions[one.__name__] = one
        return SimpleNamespace(**{**vars(numpy_maths), **functions})

    def off(self, shape: Any) -> Array:
        """By how many units in the last place a number is off: of either sign, not too few."""
        return self.ulps * self.signs(shape) * self.rng.uniform(0.5, 1.0, shape)

    def signs(self, shape: Any) -> Array:
        """1 or −1 for each element."""
        if self.sign is not None:
            return np.full(shape, self.sign)
        return self.rng.choice((-1.0, 1.0), shape)

    def _rounded(self, name: str) -> Callable[..., Any]:
        function = getattr(numpy_maths, name)

        def shake(*x: Any) -> Any:
            y = np.asarray(function(*x))
            if y.dtype.kind != "f":
                return y
            known = _special(y)
            for one in x:
                known = known & _special(one)
            return np.where(known, y, _moved(y, np.abs(y), self.off(y.shape)))

        return shake

    def _factored(self, name: str) -> Callable[..., Any]:
        """Factors and solutions: exact for operands that are off, as stable algorithms are, and
        off themselves."""
        function = getattr(numpy_maths, name)

        def shake(*x: Any) -> Any:
            y = function(*map(self._nudged, x))
            return tuple(map(self._nudged, y)) if isinstance(y, tuple) else self._nudged(y)

        return shake

    def _nudged(self, x: Any) -> Any:
        """Floating-point arrays some units in the last place off, but for zeros."""
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            return x
        return np.where(x == 0, x, _moved(x, np.abs(x), self.off(x.shape)))

    def _chosen(self, name: str) -> Callable[..., Any]:
        function = getattr(numpy_maths, name)

        def shake(*x: Any, **options: Any) -> Any:
            y = np.asarray(function(*x, **options))
            if y.dtype.kind == "f" and np.any(y == 0) and _has_both_zeros(x):
                return np.where(y == 0, np.copysign(y, self.signs(y.shape)), y)
            return y

        return shake

    def logaddexp(self, x: Any, y: Any) -> Any:
        """Off by units in the last place of the largest of operands and result."""
        z = np.logaddexp(x, y)
        size = np.maximum(np.maximum(np.abs(x), np.abs(y)), np.abs(z))
        return _moved(z, np.where(np.isfinite(size), size, 0), self.off(z.shape))

    def sum(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        """The terms in another order; one addition has one result."""
        y = np.asarray(np.sum(x, axis=axis, keepdims=keepdims))
        count = x.size // max(y.size, 1)
        if y.dtype.kind != "f" or (count < 3 and not np.any((x == 0) & np.signbit(x))):
            return y
        size = np.asarray(np.sum(np.abs(x), axis=axis, keepdims=keepdims, dtype=np.float64))
        return self._summed(y, size, count)

    def prod(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        """The factors in another order, which may leave the range on the way."""
        y = np.asarray(np.prod(x, axis=axis, keepdims=keepdims))
        count = x.size // max(y.size, 1)
        if y.dtype.kind != "f" or count < 3:
            return y
        options: Any = dict(axis=axis, keepdims=keepdims, dtype=x.dtype)
        size = np.abs(x)
        high = np.prod(np.maximum(size, 1), **options)
        low = np.prod(np.where(size < 1, np.where(size == 0, 1, size), 1), **options)
        bad = np.isinf(high) & np.all(np.isfinite(x), axis=axis, keepdims=keepdims)
        bad |= low < np.finfo(x.dtype).tiny
        moved = _moved(y, np.abs(y), count / 4 * self.off(y.shape))
        return np.where(bad, self._open(y.shape), moved).astype(y.dtype)

    def running_sum(self, x: Any, axis: Any, reverse: Any = False) -> Any:
        """The terms of each total in another order, as in vectors of several lanes."""
        return self._scanned(numpy_maths.running_sum, x, axis, reverse)

    def run_totals(self, keys: Any, x: Any, axis: Any, reverse: Any = False) -> Any:
        """The terms of each run in another order."""
        return self._scanned(partial(numpy_maths.run_totals, keys), x, axis, reverse)

    def _scanned(self, function: Callable[..., Any], x: Any, axis: Any, reverse: Any) -> Any:
        y = np.asarray(function(x, axis, reverse))
        if y.dtype.kind != "f" or y.shape[axis] < 3:
            return y
        size = function(np.abs(x).astype(np.float64), axis, reverse)
        return self._summed(y, size, y.shape[axis])

    def running_prod(self, x: Any, axis: Any, reverse: Any = False) -> Any:
        """The factors of each product in another order, which may leave the range on the way."""
        y = np.asarray(numpy_maths.running_prod(x, axis, reverse))
        if y.dtype.kind != "f" or y.shape[axis] < 3:
            return y
        moved = _moved(y, np.abs(y), y.shape[axis] / 4 * self.off(y.shape))
        bad = _out_of_range(x, axis, reverse)
        return np.where(bad, self._open(y.shape), moved).astype(y.dtype)

    def running_recurrence(
        self, a: Any, b: Any, axis: Any, reverse: Any = False, absorbing: Any = False
    ) -> Any:
        """Blocks of the axis first, so that totals are multiplied by products of factors, which may
        leave the range on the way."""
        y = np.asarray(numpy_maths.running_recurrence(a, b, axis, reverse, absorbing))
        if y.dtype.kind != "f" or y.shape[axis] < 3:
            return y
        large, added = (np.abs(np.broadcast_to(x, y.shape)).astype(np.float64) for x in (a, b))
        size = numpy_maths.running_recurrence(large, added, axis, reverse, absorbing)
        moved = self._summed(y, size, 2 * y.shape[axis])
        bad = _out_of_range(np.broadcast_to(a, y.shape), axis, reverse)
        return np.where(bad, self._open(y.shape), moved).astype(y.dtype)

    def matmul(self, x: Any, y: Any) -> Any:
        """The terms of each sum in another order."""
        z = np.asarray(np.matmul(x, y))
        if z.dtype.kind != "f" or x.shape[-1] < 2:
            return z
        size = np.matmul(np.abs(x).astype(np.float64), np.abs(y).astype(np.float64))
        return self._summed(z, size, x.shape[-1] + 1)

    def unwindowed(self, x: Any, *rest: Any) -> Any:
        """Windows added back in another order."""
        y = numpy_maths.unwindowed(x, *rest)
        if y.dtype.kind != "f":
            return y
        size = numpy_maths.unwindowed(np.abs(x).astype(np.float64), *rest)
        # Which 0 of a border meets an infinite or undefined tap is open: see docs/native.md.
        broken = ~np.isfinite(x).all(axis=tuple(range(2, x.ndim)))
        broken = broken.reshape(*broken.shape, *(1,) * (y.ndim - 2))
        y = np.where(broken, self._open(y.shape), y).astype(y.dtype)
        return self._summed(y, size, max(x.size // max(y.size, 1), 1))

    def place(self, x: Any, shape: Any, index: Any) -> Any:
        """The zeros around x may be left out of a sum, in which a term −0 then stays −0."""
        y = numpy_maths.place(x, shape, index)
        if y.dtype.kind != "f":
            return y
        around = numpy_maths.place(np.ones(np.shape(x), bool), shape, index)
        zeros = np.copysign(np.zeros(y.shape, y.dtype), self.signs(y.shape).astype(y.dtype))
        return np.where(around, y, zeros)

    def _summed(self, y: Array, size: Array, count: int) -> Array:
        """A sum of `count` terms whose sizes add up to `size`, in another order.

        Finite terms that add up to more than the largest number may overflow on the way, or not.
        """
        limit = float(np.finfo(y.dtype).max)
        moved = _moved(y, np.minimum(size, limit), self.off(y.shape) / 4 * np.sqrt(count))
        moved = np.where(size == 0, np.copysign(y, self.signs(y.shape)), moved)
        over = np.isfinite(size) & (size > limit)
        return np.where(over, self._open(y.shape), moved).astype(y.dtype)

    def _open(self, shape: Any) -> Array:
        """In place of numbers that nobody promises: others in every run."""
        return np.where(self.signs(shape) > 0, np.nan, 0.0)


def _out_of_range(x: Array, axis: int, reverse: bool) -> Array:
    """Where a product of some of the factors so far leaves the range of the dtype in which products
    accumulate, though the factors are finite."""
    size = np.abs(x).astype(wider(x.dtype))
    high = numpy_maths.running_prod(np.maximum(size, 1), axis, reverse)
    low = numpy_maths.running_prod(
        np.where(size < 1, np.where(size == 0, 1, size), 1), axis, reverse
    )
    finite = np.isfinite(numpy_maths.running_max(size, axis, reverse))
    return finite & (np.isinf(high) | (low < np.finfo(size.dtype).tiny))


def _special(x: Any) -> Array:
    """Where functions have exact values, as sin 0 = 0 and log 1 = 0: 0, ±1, infinities, NaN."""
    size = np.abs(np.asarray(x))
    return (size == 0) | (size == 1) | ~np.isfinite(size)


def _has_both_zeros(x: Any) -> bool:
    arrays = [np.asarray(one) for one in x]
    signs = [np.signbit(one[one == 0].astype(np.float64)) for one in arrays]
    return any(map(np.any, signs)) and not all(map(np.all, signs))


def _moved(y: Array, size: Any, ulps: Array) -> Array:
    """y + ulps·ε·size, at least as many of the smallest subnormal numbers."""
    info = np.finfo(y.dtype)
    step = np.maximum(
        np.asarray(size, np.float64) * float(info.eps), float(info.smallest_subnormal)
    )
    moved = (y.astype(np.float64) + ulps * step).astype(y.dtype)
    return np.where(np.isfinite(y), moved, y)
