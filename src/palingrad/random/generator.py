"""A random number generator with the methods of NumPy's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import as_dtype, default_dtype, float64, int64, is_floating, is_integer
from ..errors import ArgumentError, DTypeError
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.checks import flag, number_of, shown, whole, within
from ..messages.elsewhere import RANDOM
from ..messages.names import with_names_from, without_names_from_elsewhere
from ..ops import random as streams
from ..ops.special.error import erfinv
from ..shapes import as_shape, axis_in, broadcast, known, sizes

Size = int | Sequence[int] | None


@with_names_from(RANDOM)
class Generator(streams.Generator):
    """A random number generator with the methods of NumPy's, whose bits are palingrad's.

    `size` is the shape of the result, by default that of the parameters. Parameters may be arrays
    and nodes; derivatives with respect to locations and scales flow through the numbers drawn.
    In a graph, each run draws anew.

    >>> Generator(0).integers(0, 10, 3).dtype
    dtype('int64')
    """

    def __dir__(self) -> list[str]:
        return without_names_from_elsewhere(super().__dir__(), type(self))

    # ---------------------------------------------------------------- uniform numbers

    def random(self, size: Size = None, dtype: Any = None) -> Node:
        """Numbers drawn uniformly from [0, 1)."""
        return self._unit(_shape(size), dtype)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Size = None) -> Node:
        """Numbers drawn uniformly from [low, high)."""
        ends = [number_of(x) for x in (low, high) if not np.ndim(x) and not isinstance(x, Node)]
        if len(ends) == 2 and not (None not in ends and ends[0] <= ends[1]):  # pyright: ignore
            raise ArgumentError(
                f"uniform: low is {shown(low)} and high {shown(high)}; expected low ≤ high.",
                hint="Write uniform(0.0, 1.0, size=3).",
            )
        return low + (high - low) * self._unit(_shape(size, low, high), _dtype(low, high))

    def integers(
        self, low: Any, high: Any = None, size: Size = None, dtype: Any = int64,
        endpoint: bool = False,
    ) -> Node:  # fmt: skip
        """Integers drawn uniformly from low to high − 1, or to `high` with `endpoint`; from 0 to
        low − 1 if only one bound is given. There may be up to 2⁵³ of them."""
        first, last = (0, low) if high is None else (low, high)
        first = whole("integers: low", first, least=-(2**63), like=0)
        last = whole("integers: high", last, least=-(2**63), like=10) + bool(endpoint)
        if not 0 < last - first <= 2**53:
            raise ArgumentError(
                f"integers: there are {last - first} from {first} up to {last}; expected 1 to 2⁵³.",
                hint="Write integers(0, 10): 0 to 9.",
            )
        kind = as_dtype(dtype)
        fits = np.iinfo(kind) if is_integer(kind) else None
        if fits is not None and not fits.min <= first < last <= fits.max + 1:
            raise ArgumentError(f"integers: {first} to {last - 1} don't fit {kind}.",
                                hint="Take a wider dtype.")  # fmt: skip
        unit = self._unit(_shape(size), float64)
        drawn = ops.cast(ops.floor(unit * float(last - first)), int64) + first
        return drawn if kind == int64 else ops.cast(drawn, kind)

    def bernoulli(self, p: Any = 0.5, size: Size = None) -> Node:
        """True with probability p, else False."""
        _check("bernoulli: p", p, "[0, 1]", like=0.5)
        return ops.less(self._unit(_shape(size, p), float64), p)

    # ---------------------------------------------------------------- other distributions

    def standard_normal(self, size: Size = None, dtype: Any = None) -> Node:
        """Numbers drawn from the normal distribution N(0, 1)."""
        return streams.Normal(
            self.state, shape=_shape(size), stream=self.next_stream(), dtype=_floating(dtype)
        )

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Node:
        """Numbers drawn from the normal distribution N(loc, scale²)."""
        _scale("normal", scale)
        return loc + scale * self.standard_normal(_shape(size, loc, scale), _dtype(loc, scale))

    def truncated_normal(self, lower: Any = -2.0, upper: Any = 2.0, size: Size = None) -> Node:
        """Numbers drawn from N(0, 1) given that they lie in [lower, upper], by inversion."""
        ends = [ops.erf(ops.cast(end, float64) / math.sqrt(2)) for end in (lower, upper)]
        unit = self._unit(_shape(size, lower, upper), float64)
        drawn = math.sqrt(2) * erfinv(ends[0] + (ends[1] - ends[0]) * unit)
        return ops.cast(ops.clip(drawn, lower, upper), _floating(_dtype(lower, upper)))

    def lognormal(self, mean: Any = 0.0, sigma: Any = 1.0, size: Size = None) -> Node:
        """eˣ for x drawn from N(mean, sigma²)."""
        _scale("lognormal", sigma, "sigma")
        return ops.exp(self.normal(mean, sigma, size))

    def standard_exponential(self, size: Size = None, dtype: Any = None) -> Node:
        """Numbers drawn from the distribution with density e⁻ˣ, x ≥ 0: −log(1 − u)."""
        return -ops.log1p(-self._unit(_shape(size), dtype))

    def exponential(self, scale: Any = 1.0, size: Size = None) -> Node:
        """Numbers drawn from the exponential distribution of mean `scale`."""
        _scale("exponential", scale)
        return scale * self.standard_exponential(_shape(size, scale), _dtype(scale))

    def laplace(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Node:
        """Numbers drawn from the density exp(−|x − loc|/scale)/(2·scale)."""
        _scale("laplace", scale)
        unit = self._unit(_shape(size, loc, scale), _dtype(loc, scale)) - 0.5
        return loc - scale * ops.sign(unit) * ops.log1p(-2 * ops.abs(unit) * (1 - 2**-24))

    def gumbel(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Node:
        """Numbers drawn from the Gumbel distribution: loc − scale·log e, e exponential."""
        _scale("gumbel", scale)
        drawn = self._positive(_shape(size, loc, scale), _dtype(loc, scale))
        return loc - scale * ops.log(drawn)

    def logistic(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Node:
        """Numbers drawn from the logistic distribution: loc + scale·log(eᵉ − 1), e exponential."""
        _scale("logistic", scale)
        drawn = self._positive(_shape(size, loc, scale), _dtype(loc, scale))
        return loc + scale * ops.log(ops.expm1(drawn))

    def rayleigh(self, scale: Any = 1.0, size: Size = None) -> Node:
        """scale·√(2e), e exponential: the length of a vector of two normal numbers."""
        _scale("rayleigh", scale)
        return scale * ops.sqrt(2 * self.standard_exponential(_shape(size, scale), _dtype(scale)))

    def weibull(self, a: Any, size: Size = None) -> Node:
        """e^(1/a), e exponential: the Weibull distribution of shape a > 0."""
        _check("weibull: a", a, "(0, inf)", like=1.0)
        return self._positive(_shape(size, a), _dtype(a)) ** (1 / as_node(a))

    def pareto(self, a: Any, size: Size = None) -> Node:
        """e^(e/a) − 1, e exponential: the Pareto distribution (Lomax) of shape a > 0."""
        _check("pareto: a", a, "(0, inf)", like=1.0)
        return ops.expm1(self.standard_exponential(_shape(size, a), _dtype(a)) / a)

    def standard_cauchy(self, size: Size = None) -> Node:
        """tan(π(u − ½)): the Cauchy distribution."""
        return ops.tan(math.pi * (self._unit(_shape(size), None) - 0.5))

    # ---------------------------------------------------------------- orders and choices

    def permutation(self, x: Any, axis: int = 0) -> Node:
        """The numbers 0 to x − 1 in random order, or the rows of an array x in random order."""
        if isinstance(x, (int, np.integer)):
            return self._order(int(x))
        rows = as_node(x)
        if rows.shape is None or not known(rows.shape):
            raise ArgumentError("permutation: the shape of x isn't known yet.",
                                hint="Give the placeholder a shape.")  # fmt: skip
        length = rows.shape[axis_in(axis, len(rows.shape))]
        return ops.take(rows, self._order(length or 0), axis=axis)

    def choice(
        self, a: Any, size: Size = None, replace: bool = True, p: Any = None, axis: int = 0
    ) -> Node:
        """Elements of a, or of 0 … a − 1 for an integer, drawn with the probabilities p.

        Without `replace` no element is drawn twice. p: by default all alike; it isn't normalised.
        """
        items = None if isinstance(a, (int, np.integer)) else as_node(a)
        count = int(a) if items is None else (items.shape or (0,))[axis_in(axis, items.ndim or 0)]
        shape = _shape(size)
        total = math.prod(shape)
        if not count:
            raise ArgumentError("choice: there is nothing to choose from.",
                                hint="Write choice(10, 3), or give a list.")  # fmt: skip
        if not flag("choice: replace", replace) and total > count:
            raise ArgumentError(
                f"choice: {total} of {count} elements can't be drawn without replacement.",
                hint=f"Write size={count}, or replace=True.",
            )
        drawn = self._drawn(count, total, bool(replace), None if p is None else as_node(p))
        drawn = ops.reshape(drawn, shape)
        return drawn if items is None else ops.take(items, drawn, axis=axis)

    def _drawn(self, count: int, total: int, replace: bool, p: Node | None) -> Node:
        if p is not None and p.shape != (count,):
            raise ArgumentError(
                f"choice: p has shape {p.shape}; expected one probability for each of {count}."
            )
        if p is not None:
            _check("choice: p", p, "[0, inf)", like=0.5)
            given = _known(p)
            if given is not None and np.count_nonzero(given) < (1 if replace else total):
                raise ArgumentError(f"choice: too few of the probabilities p aren't 0 for {total}.")
        if replace and p is None:
            return self.integers(0, count, total)
        if replace:
            ends = ops.cumsum(ops.cast(p, float64))
            unit = self._unit((total, 1), float64) * ends[-1]
            return ops.sum(ops.cast(unit >= ends[:-1], int64), axis=1)
        if p is None:
            return self._order(count)[:total]
        # The order of the largest log p + Gumbel numbers is that of drawing one after the other.
        keys = ops.log(ops.cast(p, float64)) - ops.log(self._positive((count,), float64))
        return ops.argsort(-keys)[:total]

    def shuffle(self, x: Any, axis: int = 0) -> None:
        """Refused: nodes don't change."""
        raise ArgumentError("shuffle would change x in place; nodes don't change.",
                            hint="Write x = permutation(x), a new array.")  # fmt: skip

    # ---------------------------------------------------------------- sources

    def _order(self, count: int) -> Node:
        return ops.argsort(self._unit((count,), float64))

    def _unit(self, shape: Any, dtype: Any) -> Node:
        return streams.Uniform(
            self.state, shape=shape, stream=self.next_stream(), dtype=_floating(dtype)
        )

    def _positive(self, shape: Any, dtype: Any) -> Node:
        """Exponential numbers, none of which is 0, so that their logarithms are finite."""
        drawn = ops.cast(self.standard_exponential(shape, float64), _floating(dtype))
        return ops.maximum(drawn, 2.0**-60 if _floating(dtype) != np.float16 else 2.0**-24)


def _shape(size: Any, *parameters: Any) -> tuple[int, ...]:
    if size is not None:
        return sizes(as_shape(size))
    shapes = [x.shape if isinstance(x, Node) else np.shape(x) for x in parameters]
    return sizes(broadcast(*(shape or () for shape in shapes)))


def _dtype(*parameters: Any) -> Any:
    """The float dtype of the parameters, or the default float for Python numbers."""
    kinds = [x.dtype for x in parameters if isinstance(x, (Node, np.ndarray, np.number))]
    floats = [dtype for dtype in kinds if is_floating(dtype)]
    return np.result_type(*floats) if floats else None


def _floating(dtype: Any) -> Any:
    found = default_dtype() if dtype is None else as_dtype(dtype)
    if not is_floating(found):
        raise DTypeError(f"random numbers have a float dtype, not {found}.",
                         hint="Integers are integers(0, 10, size).")  # fmt: skip
    return found


def _scale(kind: str, scale: Any, name: str = "scale") -> None:
    _check(f"{kind}: {name}", scale, "[0, inf)", like=1.0)


def _check(what: str, value: Any, interval: str, like: float) -> None:
    """Raise ArgumentError if a number that is known lies outside an interval."""
    numbers = _known(value)
    if numbers is None:
        return
    if np.ndim(numbers):
        ends = np.asarray(numbers).ravel()
        for end in (ends.min(), ends.max()) if ends.size else ():  # NaN is both
            within(what, end.item(), interval, like)
    else:
        within(what, numbers.item() if isinstance(numbers, np.ndarray) else numbers, interval, like)


def _known(value: Any) -> Any:
    """The number or array; None for a node that a run may give another value."""
    if not isinstance(value, Node):
        return value
    return value._value if isinstance(value, Constant) else None  # no derivative gets lost
