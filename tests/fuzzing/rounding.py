"""How far roundings may move each number of a result: Monte Carlo arithmetic.

A program is interpreted several times with a maths namespace in which every function that engines
round differently is off by a few units in the last place, at random. What an element moves by is
its tolerance: 0 where all is exact (then bits must agree), large where the graph is badly
conditioned, infinite where roundings decide a branch. So no operation needs a tolerance of its own,
and a comparison, a floor or an argmax may stand anywhere.

D. S. Parker, "Monte Carlo arithmetic: exploiting randomness in floating-point arithmetic" (1997).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from fuzzing.program import Array
from palingrad.graph.kinds import Custom
from palingrad.graph.leaves import Placeholder
from palingrad.graph.node import Node
from palingrad.graph.operation import Operation
from palingrad.maths import numpy_maths
from palingrad.passes.expand import expand
from palingrad.passes.program import Program as NodeProgram
from palingrad.passes.specialise import specialise
from palingrad.passes.stable import stabilise

RUNS = 6
ULPS = 16.0  # some times what functions are off by, so that the next rounding does not undo it

# Functions that engines round differently, as in the table of docs/native.md. What isn't here, +,
# −, ×, / and √ among it, is rounded as IEEE 754 says: the same bits everywhere.
_ROUNDED = """
    arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt cos cosh erf erfc exp exp2 expm1
    hypot log log10 log1p log2 power sin sinh tan tanh
""".split()

_CHOSEN = "max maximum min minimum".split()


def deviations(fetches: Sequence[Node], feeds: dict[Placeholder, Array], seed: int) -> list[Array]:
    """For each element of each fetched node how far roundings move it; inf where anything goes."""
    signature = {node: (array.shape, array.dtype) for node, array in feeds.items()}
    program = expand(stabilise(specialise(fetches, signature)))
    arrays = list(feeds.values())
    plain = interpreted(program, arrays, numpy_maths)
    moved = [np.zeros(value.shape) for value in plain]
    for number in range(RUNS):
        rng = np.random.default_rng((seed, number))
        for total, one, other in zip(
            moved,
            plain,
            interpreted(program, arrays, shaken(rng, ULPS * bool(number))),
            strict=True,
        ):
            np.maximum(total, _distance(one, other), out=total)
    return moved


@np.errstate(all="ignore")
def interpreted(program: NodeProgram, feeds: Sequence[Array], maths: Any) -> list[Array]:
    """The outputs of a program, each operation computed by its own formula with `maths`."""
    values: dict[Node, Any] = dict(zip(program.feeds, feeds, strict=True))
    for node in program.order:
        if node in values:
            continue
        if not isinstance(node, Operation):
            values[node] = node.numpy()
            continue
        inputs = [values[x] for x in node.inputs]
        if isinstance(node, Custom):
            values[node] = node.compute(*inputs)
        else:
            values[node] = node.f(maths, *inputs, **node.attributes)
        if isinstance(node.dtype, np.dtype):
            values[node] = np.asarray(values[node]).astype(node.dtype, copy=False)
    return [values[node] for node in program.outputs]


@np.errstate(all="ignore")
def _distance(one: Array, other: Array) -> Array:
    """|one − other|: 0 where both are NaN or the same infinity, inf where one alone is.

    Between 0 and −0 it is as small as can be.
    """
    same = (one == other) | ((one != one) & (other != other))
    if one.dtype.kind == "f":
        same &= (one != 0) | (np.signbit(one) == np.signbit(other))
    apart = np.abs(one.astype(np.float64) - other.astype(np.float64))
    return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, np.maximum(apart, 5e-324)))


def shaken(rng: np.random.Generator, ulps: float) -> Any:
    """NumPy's maths namespace, in which every function that engines round differently is off.

    With no units in the last place it differs in what nobody promises: which of 0 and −0 is larger.
    """

    def off(shape: Any) -> Array:
        """By how many units in the last place a number is off: of either sign, not too few."""
        return ulps * rng.choice((-1.0, 1.0), shape) * rng.uniform(0.5, 1.0, shape)

    def rounded(function: Callable[..., Any]) -> Callable[..., Any]:
        def shake(*x: Any) -> Any:
            y = np.asarray(function(*x))
            if y.dtype.kind != "f":
                return y
            known = _special(y)
            for one in x:
                known = known & _special(one)
            return np.where(known, y, _moved(y, np.abs(y), off(y.shape)))

        return shake

    def logaddexp(x: Any, y: Any) -> Any:
        z = np.logaddexp(x, y)
        size = np.maximum(np.maximum(np.abs(x), np.abs(y)), np.abs(z))
        return _moved(z, np.where(np.isfinite(size), size, 0), off(z.shape))

    def total(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        y = np.asarray(np.sum(x, axis=axis, keepdims=keepdims))
        count = x.size // max(y.size, 1)
        if y.dtype.kind != "f" or (count < 3 and not _has_negative_zero(x)):
            return y  # one addition has one result
        size = np.asarray(np.sum(np.abs(x), axis=axis, keepdims=keepdims, dtype=np.float64))
        return _summed(y, size, count, off(y.shape))

    def prod(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        y = np.asarray(np.prod(x, axis=axis, keepdims=keepdims))
        count = x.size // max(y.size, 1)
        if y.dtype.kind != "f" or count < 3:
            return y
        options: Any = dict(axis=axis, keepdims=keepdims, dtype=x.dtype)
        size = np.abs(x)
        high = np.prod(np.maximum(size, 1), **options)
        low = np.prod(np.where(size < 1, np.where(size == 0, 1, size), 1), **options)
        bad = np.isinf(high) & np.all(np.isfinite(x), axis=axis, keepdims=keepdims)
        bad |= low < np.finfo(x.dtype).tiny  # another order would leave the range on the way
        return np.where(bad, np.nan, _moved(y, np.abs(y), count / 4 * off(y.shape))).astype(y.dtype)

    def matmul(x: Any, y: Any) -> Any:
        z = np.asarray(np.matmul(x, y))
        if z.dtype.kind != "f" or x.shape[-1] < 2:
            return z
        size = np.matmul(np.abs(x).astype(np.float64), np.abs(y).astype(np.float64))
        return _summed(z, size, x.shape[-1] + 1, off(z.shape))

    def unwindowed(x: Any, *rest: Any) -> Any:
        y = numpy_maths.unwindowed(x, *rest)
        if y.dtype.kind != "f":
            return y
        size = numpy_maths.unwindowed(np.abs(x).astype(np.float64), *rest)
        # Which 0 of a border meets an infinite or undefined tap is open: see docs/native.md.
        broken = ~np.isfinite(x).all(axis=tuple(range(2, x.ndim)))
        y = np.where(broken.reshape(*broken.shape, *(1,) * (y.ndim - 2)), np.nan, y)
        return _summed(y, size, max(x.size // max(y.size, 1), 1), off(y.shape))

    def chosen(function: Callable[..., Any]) -> Callable[..., Any]:
        """Of 0 and −0 neither is the larger one: which is chosen nobody promises."""

        def shake(*x: Any, **options: Any) -> Any:
            y = np.asarray(function(*x, **options))
            if y.dtype.kind != "f" or not np.any(y == 0):
                return y
            signs = [
                np.signbit(one[one == 0]) for one in map(np.asarray, x) if one.dtype.kind == "f"
            ]
            if len({bool(one) for sign in signs for one in sign}) < 2:
                return y
            return np.where(y == 0, np.copysign(y, rng.choice((-1.0, 1.0), y.shape)), y)

        return shake

    functions: dict[str, Any] = {name: rounded(getattr(numpy_maths, name)) for name in _ROUNDED}
    functions |= {name: chosen(getattr(numpy_maths, name)) for name in _CHOSEN}
    sums = dict(logaddexp=logaddexp, sum=total, prod=prod, matmul=matmul, unwindowed=unwindowed)
    return SimpleNamespace(**{**vars(numpy_maths), **functions, **sums})


def _special(x: Any) -> Array:
    """Where functions have exact values, as sin 0 = 0 and log 1 = 0: 0, ±1, infinities, NaN."""
    size = np.abs(np.asarray(x))
    return (size == 0) | (size == 1) | ~np.isfinite(size)


def _has_negative_zero(x: Array) -> bool:
    return bool(np.any((x == 0) & np.signbit(x)))


def _moved(y: Array, size: Any, ulps: Array) -> Array:
    """y + ulps·ε·size, at least as many of the smallest subnormal numbers."""
    info = np.finfo(y.dtype)
    step = np.maximum(
        np.asarray(size, np.float64) * float(info.eps), float(info.smallest_subnormal)
    )
    moved = (y.astype(np.float64) + ulps * step).astype(y.dtype)
    return np.where(np.isfinite(y), moved, y)


def _summed(y: Array, size: Array, count: int, off: Array) -> Array:
    """A sum of `count` terms whose sizes add up to `size`, in another order.

    Of terms that are all 0 it is 0 or −0, as the sum begins with 0 or with a term.
    """
    limit = float(np.finfo(y.dtype).max)
    moved = _moved(y, np.minimum(size, limit), off / 4 * np.sqrt(count))
    moved = np.where(size == 0, np.copysign(y, off), moved)
    # Finite terms that add up to more than the largest number may overflow on the way, or not.
    return np.where(np.isfinite(size) & (size > limit), np.nan, moved).astype(y.dtype)
