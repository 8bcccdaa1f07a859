"""Quantiles: medians, percentiles, and those of the elements that aren't NaN.

The methods are those of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The
American Statistician 50 (1996), and NumPy's five others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...dtypes import Array, int64, is_floating
from ...errors import ArgumentError, ShapeError
from ...graph.functions import frozen
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.promotion import as_nodes
from ...graph.registry import ops, register
from ...graph.samples import case, spread
from ...shapes import Shape, axes_in, axis_in, sizes, text
from ..reduction.axes import FIRST, LAST, PAIR, WHOLE, count, narrowed, widened
from ..reduction.statistics import Statistic

# The continuous methods put quantile q of n elements at n·q + α + q·(1 − α − β) − 1.
_CONTINUOUS = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
# The others, as positions between sorted elements; an integer is an element.
_OTHERS: dict[str, Callable[[Array, float], Array]] = {
    "linear": lambda n, q: (n - 1) * q,
    "lower": lambda n, q: np.floor((n - 1) * q),
    "higher": lambda n, q: np.ceil((n - 1) * q),
    "nearest": lambda n, q: np.around((n - 1) * q),
    "midpoint": lambda n, q: (np.floor((n - 1) * q) + np.ceil((n - 1) * q)) / 2,
    "inverted_cdf": lambda n, q: np.ceil(n * q - 1),
    "averaged_inverted_cdf": lambda n, q: _averaged(n * q - 1),
    "closest_observation": lambda n, q: _closest(n * q - 1.5),
}
METHODS = (*_OTHERS, *_CONTINUOUS)


def _averaged(place: Array) -> Array:
    """Halfway to the next element for an integer, else the next element."""
    return np.where(place == np.floor(place), place + 0.5, np.ceil(place))


def _closest(place: Array) -> Array:
    """The next element, but for an odd integer that element itself."""
    low = np.floor(place)
    return np.where((place == low) & (low % 2 == 1), low, low + 1)


def _places(method: str, n: Any, q: float) -> tuple[Array, Array, Array]:
    """The indices of two sorted elements of n, and the weight of the second."""
    n = np.asarray(n, np.float64)
    if method in _CONTINUOUS:
        alpha, beta = _CONTINUOUS[method]
        place = n * q + (alpha + q * (1 - alpha - beta)) - 1
    else:
        place = _OTHERS[method](n, q)
    place = np.clip(place, 0, np.maximum(n - 1, 0))
    low = np.floor(place)
    weight = place - low
    return low.astype(np.int64), (low + (weight > 0)).astype(np.int64), weight


class Quantile(Statistic):
    """y = the quantiles `q` of x over `axis`, on new leading axes in the shape of q: of the sorted
    elements the one at a position that `method` determines, or a weighted mean of two neighbours.
    NaN if an element is.

    The gradient goes to these elements; of equal elements to those that a stable sort puts there.
    """

    complexes = False
    math = r"\operatorname{quantile} {x}"
    samples = [
        spread((5,), **WHOLE, q=0.3, method="linear"),
        spread((2, 3, 4), **PAIR, q=(0.0, 0.5, 1.0), method="linear"),
        spread((3, 4), **LAST, q=(0.4,), method="hazen"),
        case(np.array([[1.0, np.nan, 2.0], [np.inf, -np.inf, 0.0]]), **LAST, q=0.5, method="lower"),
        case(np.array([1, 4, 2, 8]), **WHOLE, q=0.5, method="linear"),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        axes = axes_in(self.attributes["axis"], len(shapes[0]))
        if 0 in [shapes[0][axis] for axis in axes]:
            raise ShapeError("no element to choose on an axis of size 0")
        return (*np.shape(self.attributes["q"]), *super().shape_rule(*shapes))

    def expand(y, x):
        ordered = ops.sort(_lined(widened(x), y.axis), axis=-1)  # (..., n)
        n = ordered.shape[-1]
        found: list[Any] = []
        for q in np.ravel(y.q).tolist():
            low, high, weight = (one.item() for one in _places(y.method, n, q))
            value = ordered[..., low]
            if weight:
                value = value * (1 - weight) + ordered[..., high] * weight
            found.append(value)
        last = ordered[..., -1]
        found = [ops.where(ops.isnan(last), math.nan, value) for value in found]
        return narrowed(_shaped(y, found, x), y.dtype)


class Nanquantile(Quantile):
    """y = the quantiles `q` over `axis` of the elements of x that aren't NaN; NaN if all are."""

    math = r"\operatorname{nanquantile} {x}"
    samples = [
        spread((5,), **WHOLE, q=0.3, method="linear"),
        case(np.array([[1.0, np.nan, 2.0], [np.nan] * 3, [3.0, 7.0, 5.0]]), **LAST, q=(0.2, 0.5),
             method="linear"),
        case(np.array([[1.0, np.nan], [3.0, 2.0]]), **FIRST, q=0.5, method="midpoint"),
    ]  # fmt: skip

    def expand(y, x):
        if not is_floating(x.dtype):
            options = dict(axis=y.axis, keepdims=y.keepdims, q=y.q, method=y.method)
            return Quantile(x, **options)
        lined = _lined(widened(x), y.axis)
        ordered = ops.sort(lined, axis=-1)  # (..., n)
        present = ops.logical_not(ops.isnan(lined))
        n = ops.sum(present, axis=-1, keepdims=True)  # (..., 1)
        table = np.arange(ordered.shape[-1] + 1)
        found: list[Any] = []
        for q in np.ravel(y.q).tolist():
            low, high, weight = _places(y.method, table, q)
            rest = ops.take(Constant(weight.astype(ordered.dtype)), n, axis=0)
            first, second = (
                ops.take_along_axis(ordered, ops.take(Constant(one), n, axis=0), -1)
                for one in (low, high)
            )
            value = ops.where(rest == 0, first, first * (1 - rest) + second * rest)
            value = ops.where(n == 0, math.nan, value)
            found.append(ops.squeeze(value, axis=-1))
        return narrowed(_shaped(y, found, x), y.dtype)


class WeightedQuantile(Quantile):
    """y = the quantiles `q` over `axis` of x whose elements have weights w ≥ 0: the least element
    at which the cumulative share of weights reaches q. NaN if an element is. ∂y/∂w = 0."""

    math = r"\operatorname{quantile}({x}; {w})"
    samples = [
        case(np.array([3.0, 1.0, 2.0]), np.array([0.0, 2.0, 3.0]), **WHOLE, q=0.5,
             method="inverted_cdf"),
        case(np.array([[3.0, 1.0, 2.0]]), np.array([[1.0, 2.0, 3.0]]), **LAST, q=(0.0, 0.7),
             method="inverted_cdf"),
    ]  # fmt: skip

    def expand(y, x, w):
        lined = _lined(widened(x), y.axis)
        order = ops.argsort(lined, axis=-1)
        ordered = ops.take_along_axis(lined, order, -1)  # (..., n)
        weights = ops.take_along_axis(_lined(widened(ops.stop_gradient(w)), y.axis), order, -1)
        total = ops.cumsum(weights, axis=-1)
        share = total / total[..., -1:]
        found: list[Any] = []
        for q in np.ravel(y.q).tolist():
            below = (share < q) | (total == 0)  # elements without weight count only behind others
            place = ops.sum(ops.cast(below, int64), axis=-1, keepdims=True)
            place = ops.minimum(place, ordered.shape[-1] - 1)
            value = ops.take_along_axis(ordered, place, -1)[..., 0]
            bad = ops.isnan(ordered[..., -1]) | ops.isnan(share[..., -1])
            found.append(ops.where(bad, math.nan, value))
        return narrowed(_shaped(y, found, x), y.dtype)


def _lined(x: Any, axis: Any) -> Any:
    """x with the reduced axes as one last axis."""
    axes = axes_in(axis, x.ndim)
    kept = [at for at in range(x.ndim) if at not in axes]
    moved = x if kept == list(range(len(kept))) else ops.permute_dims(x, (*kept, *axes))
    shape = [x.shape[at] for at in kept]
    return ops.reshape(moved, (*shape, count(x, axis)))


def _shaped(y: Any, found: list[Any], x: Any) -> Any:
    """The results for each q in y's shape."""
    shape = [*np.shape(y.q)]
    axes = axes_in(y.axis, x.ndim)
    for at in range(x.ndim):
        if at not in axes:
            shape.append(x.shape[at])
        elif y.keepdims:
            shape.append(1)
    if not found:  # no q
        return ops.reshape(_lined(widened(x), y.axis)[..., :0], (0, *shape[1:]))
    return ops.reshape(ops.stack(found) if np.ndim(y.q) else found[0], shape)


# ---------------------------------------------------------------- the functions

Axis = int | Sequence[int] | None


def _options(
    function: str, q: Any, axis: Any, method: str, keepdims: Any, name: str | None, scale: float = 1
) -> dict[str, Any]:
    """The checked options of a quantile."""
    if method not in METHODS:
        listed = ", ".join(METHODS)
        raise ArgumentError(f"{function}: method {method!r} isn't known.", hint=f"One of {listed}.")
    if isinstance(q, Node):
        if q._known() is None:
            raise ArgumentError(
                f"{function}: q must be known when the graph is built.",
                hint="Write numbers; an argument of a pg.function is known if it is static.",
            )
        q = q.numpy()  # refused where q is differentiated: the result has no slope in q here
    numbers = np.asarray(q, np.float64) / scale
    if numbers.ndim > 1 or not ((numbers >= 0) & (numbers <= 1)).all():
        raise ArgumentError(
            f"{function}: q is a number from 0 to {scale:g}, or a vector of them, got {q!r:.60}.",
            hint="" if scale != 1 else "pg.percentile takes percentages.",
        )
    found: Any = tuple(numbers.tolist()) if numbers.ndim else numbers.item()
    options = dict(axis=frozen(axis), keepdims=bool(keepdims), name=name)
    return dict(**options, q=found, method=method)


def _quantile(x: Any, weights: Any, options: dict[str, Any]) -> Node:
    """Quantiles, weighted if `weights` isn't None."""
    if weights is None:
        return Quantile(x, **options)
    if options["method"] != "inverted_cdf":
        raise ArgumentError("quantile: only method='inverted_cdf' takes weights.",
                            hint="Write method='inverted_cdf', as in NumPy.")  # fmt: skip
    x, w = as_nodes(x, weights)
    value = w._known()
    if value is not None and (value < 0).any():
        raise ArgumentError("quantile: a weight is negative.")
    if w.shape != x.shape and x.ndim is not None:
        one = x.ndim == 1 or isinstance(options["axis"], int)
        if w.ndim != 1 or not one:
            raise ShapeError(
                f"quantile: weights {text(w.shape)} for {text(x.shape)}",
                hint="One weight for each element, or with axis= for each along it.",
            )
        place = axis_in(options["axis"] or 0, x.ndim)
        w = ops.broadcast_to(ops.reshape(w, (-1,) + (1,) * (x.ndim - 1 - place)), sizes(x.shape))
    w = narrowed(w, x.dtype) if is_floating(x.dtype) else w
    return WeightedQuantile(x, w, **options)


@register
def quantile(
    x: Any,
    q: Any,
    /,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
    name: str | None = None,
) -> Node:
    """The quantiles q, numbers in [0, 1], of x over `axis`: the elements below which the part q of
    all elements lies, of two neighbours a weighted mean. NaN if an element is.

    A vector of quantiles becomes the first axis. method: NumPy's, "linear" by default. The gradient
    goes to the elements that are chosen, of equal elements to those that a stable sort puts there.
    weights: of x's shape, or of the size of the axis `axis`, for method="inverted_cdf"; constants.
    Raises ShapeError for no elements.
    """
    return _quantile(x, weights, _options("quantile", q, axis, method, keepdims, name))


@register
def percentile(
    x: Any,
    q: Any,
    /,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
    name: str | None = None,
) -> Node:
    """The quantiles q/100 of x over `axis`, q in [0, 100]."""
    return _quantile(x, weights, _options("percentile", q, axis, method, keepdims, name, 100))


@register
def median(
    x: Any, /, axis: Axis = None, *, keepdims: bool = False, name: str | None = None
) -> Node:
    """The middle element of x over `axis`, of two middle ones their mean; NaN if an element is."""
    return Quantile(x, **_options("median", 0.5, axis, "linear", keepdims, name))


@register
def nanquantile(
    x: Any,
    q: Any,
    /,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    name: str | None = None,
) -> Node:
    """The quantiles q, numbers in [0, 1], over `axis` of the elements that aren't NaN; NaN of none.

    Options as for `quantile`.
    """
    return Nanquantile(x, **_options("nanquantile", q, axis, method, keepdims, name))


@register
def nanpercentile(
    x: Any,
    q: Any,
    /,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    name: str | None = None,
) -> Node:
    """The quantiles q/100 over `axis` of the elements that aren't NaN, q in [0, 100]."""
    return Nanquantile(x, **_options("nanpercentile", q, axis, method, keepdims, name, 100))


@register
def nanmedian(
    x: Any, /, axis: Axis = None, *, keepdims: bool = False, name: str | None = None
) -> Node:
    """The median over `axis` of the elements that aren't NaN; NaN of none."""
    return Nanquantile(x, **_options("nanmedian", 0.5, axis, "linear", keepdims, name))
