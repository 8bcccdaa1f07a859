"""Padding at the ends of axes, in all of NumPy's modes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...dtypes import DType, is_boolean, is_floating, is_integer
from ...errors import ArgumentError, DTypeError, ShapeError
from ...graph.kinds import Composite
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops, register
from ...graph.samples import case, spread
from ...messages.checks import one_of
from ...shapes import Shape, axis_in
from ..reduction.axes import widened
from .move import Place

_ROWS = ("edge", "reflect", "symmetric", "wrap")  # padding consists of rows of x
_STATISTICS = ("maximum", "mean", "median", "minimum")
MODES = ("constant", *_ROWS, "linear_ramp", *_STATISTICS, "empty")

# The option of each mode that has one, and its default.
_OPTIONS: dict[str, tuple[str, Any]] = {
    "constant": ("constant_values", 0),
    "linear_ramp": ("end_values", 0),
    **{mode: ("stat_length", None) for mode in _STATISTICS},
    "reflect": ("reflect_type", "even"),
    "symmetric": ("reflect_type", "even"),
}


class Pad(Composite):
    """y = x with `width` (before, after) elements more on each axis, which `mode` says.

    Axis after axis is padded, so corners depend on all axes. Linear in x, but for constants, ramps,
    maximum and minimum; ∂L/∂x adds the cotangents of the padding to those of what it repeats.
    """

    math = r"\operatorname{pad}({x})"
    promotes = False
    samples = [
        case((2, 3), width=((1, 0), (2, 1)), mode="constant", option=0),
        case((2, 3), width=((0, 1), (2, 0)), mode="constant", option=((0.5, 2), (1, 3))),
        case((2, 3), width=(2, 1), mode="edge", option=None),
        case((3,), width=(5, 3), mode="reflect", option="odd"),
        case((2, 3), width=((0, 1), (4, 2)), mode="symmetric", option="even"),
        case((2,), width=(2, 3), mode="linear_ramp", option=(1.5, -1)),
        spread((3, 2), width=((1, 1), (0, 2)), mode="maximum", option=2),
        case((3, 2), width=((1, 1), (2, 0)), mode="mean", option=2),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        (x,) = shapes
        widths = pairs("pad_width", self.attributes["width"], len(x))
        if self.attributes["mode"] not in ("constant", "empty"):
            for axis, (length, ends) in enumerate(zip(x, widths, strict=True)):
                if length == 0 and any(ends):
                    raise ShapeError(f"axis {axis} has no elements to pad with",
                                     hint="mode='constant' needs none.")  # fmt: skip
        return tuple(
            None if length is None else length + sum(ends)
            for length, ends in zip(x, widths, strict=True)
        )

    def dtype_rule(self, *dtypes: DType) -> DType:
        if self.attributes["option"] == "odd" and is_boolean(dtypes[0]):
            raise DTypeError("booleans have no negatives, of which reflect_type='odd' is made",
                             hint="Leave reflect_type out.")  # fmt: skip
        return dtypes[0]

    def expand(y, x: Any):
        widths = pairs("pad_width", y.width, x.ndim)
        if y.mode == "empty" or (y.mode == "constant" and y.option == 0):
            index = tuple(
                slice(before, before + length)
                for length, (before, _) in zip(x.shape, widths, strict=True)
            )
            return Place(x, shape=y.shape_rule(x.shape), index=index)
        options = [(None, None)] * x.ndim
        if y.mode in ("constant", "linear_ramp", *_STATISTICS):
            options = pairs(_OPTIONS[y.mode][0], y.option, x.ndim)
        result = x
        for axis, (ends, option) in enumerate(zip(widths, options, strict=True)):
            if any(ends):
                result = y._padded(result, axis, ends, option)
        return x[...] if result is x else result

    def _padded(y, x: Any, axis: int, ends: Any, option: Any) -> Node:
        """x padded on one axis."""
        before, after = ends
        if y.mode in _ROWS and y.option != "odd":
            rows = np.pad(np.arange(x.shape[axis]), (before, after), mode=y.mode)
            return ops.take(x, rows, axis=axis)
        if y.mode in _ROWS:
            return _reflected(x, axis, before, after, int(y.mode == "symmetric"))
        parts = [x]
        if before:
            parts.insert(0, y._part(x, axis, before, option[0], first=True))
        if after:
            parts.append(y._part(x, axis, after, option[1], first=False))
        return ops.concat(parts, axis=axis)

    def _part(y, x: Any, axis: int, width: int, option: Any, *, first: bool) -> Node:
        """The padding at one end of an axis, `width` elements long."""
        shape = (*x.shape[:axis], width, *x.shape[axis + 1 :])
        if y.mode == "constant":
            return ops.broadcast_to(Constant.of(option, x.dtype), shape)
        if y.mode == "linear_ramp":
            edge = _rows(x, axis, 0, 1) if first else _rows(x, axis, x.shape[axis] - 1, None)
            steps = np.arange(width) if first else np.arange(width)[::-1]
            steps = (steps / width).reshape(-1, *(1,) * (x.ndim - axis - 1))

            def ramp(wide: Any) -> Any:
                return option + (wide - option) * steps.astype(wide.dtype)

            return _in_dtype_of(x, ramp, edge, ops.floor)
        length = x.shape[axis] if option is None else min(option, x.shape[axis])
        rows = _rows(x, axis, 0, length) if first else _rows(x, axis, x.shape[axis] - length, None)
        if y.mode in ("maximum", "minimum"):
            number = (ops.max if y.mode == "maximum" else ops.min)(rows, axis=axis, keepdims=True)
        else:
            statistic = ops.mean if y.mode == "mean" else ops.median
            average = lambda wide: statistic(wide, axis=axis, keepdims=True)  # noqa: E731
            number = _in_dtype_of(x, average, rows, ops.round)
        return ops.broadcast_to(number, shape)


def _rows(x: Any, axis: int, start: int, stop: int | None) -> Any:
    return x[(*(slice(None),) * axis, slice(start, stop))]


def _in_dtype_of(x: Any, function: Any, part: Any, rounding: Any) -> Node:
    """function(part) in x's dtype, computed in a wider one; integers are rounded."""
    if is_floating(x.dtype):
        return ops.cast(function(widened(part)), x.dtype)
    return ops.cast(rounding(function(ops.cast(part, np.float64))), x.dtype)


def _reflected(x: Any, axis: int, before: int, after: int, offset: int) -> Node:
    """x continued by 2·(edge element) − (reflected elements), period after period, as in NumPy.

    offset: 1 if the edge element itself is repeated.
    """
    period = x.shape[axis] - 1 + offset
    if not period:  # a single element is repeated
        return ops.take(x, np.zeros(before + 1 + after, np.int64), axis=axis)
    while before or after:
        length = x.shape[axis]
        most = (length - 1 + offset) // period * period
        left, right = min(most, before), min(most, after)
        parts = [x]
        if left:
            chunk = _rows(x, axis, 1 - offset, 1 - offset + left)
            parts.insert(0, 2 * _rows(x, axis, 0, 1) - ops.flip(chunk, axis=axis))
        if right:
            end = length - 1 + offset
            chunk = _rows(x, axis, end - right, end)
            parts.append(2 * _rows(x, axis, length - 1, None) - ops.flip(chunk, axis=axis))
        x = ops.concat(parts, axis=axis)
        before, after = before - left, after - right
    return x


def pairs(what: str, given: Any, ndim: int) -> list[tuple[Any, Any]]:
    """A pair (before, after) for each axis, from one number, one pair, or a pair for each axis."""
    if given is None:
        return [(None, None)] * ndim
    try:
        array = np.asarray(given, object)
        return [tuple(pair) for pair in np.broadcast_to(array, (ndim, 2)).tolist()]
    except ValueError:
        fact = f"{what} {given!r:.60} doesn't fit {ndim} axes"
        raise ShapeError(fact, hint="Give one number, or a pair (before, after) for each axis.",
                         ) from None  # fmt: skip


def _numbers(what: str, given: Any, *, whole: bool) -> Any:
    """Numbers of an option as nested tuples; `whole` demands integers ≥ 0."""
    if given is None:
        return None
    if isinstance(given, Node):
        given = given._known()
    try:
        array = np.asarray(given)
    except ValueError:
        array = np.asarray(None)
    wrong = array.dtype.kind not in "iu" or (array < 0).any() if whole else (
        array.dtype.kind not in "iufb"
    )  # fmt: skip
    if wrong:
        expected = "integers ≥ 0" if whole else "numbers that are known"
        raise ArgumentError(f"pad: {what} is {given!r:.60}; expected {expected}.",
                            hint=f"Write {what}=1, or a pair for each axis.")  # fmt: skip
    return _tuples(array.tolist())


def _listed(widths: Mapping[int, Any], x: Node) -> list[Any]:
    """Pad widths by axis as a pair for each axis; axes that aren't named aren't padded."""
    if x.ndim is None:
        raise ShapeError("pad: the number of axes isn't known yet, to which a dict refers",
                         hint="Give one pair for all axes.")  # fmt: skip
    table = {axis_in(axis, x.ndim): ends for axis, ends in widths.items()}
    found = [table.get(axis, 0) for axis in range(x.ndim)]
    return [[ends, ends] if np.ndim(ends) == 0 else ends for ends in found]


def _tuples(given: Any) -> Any:
    return tuple(map(_tuples, given)) if isinstance(given, list) else given


@register
def pad(
    x: Any,
    /,
    pad_width: Any,
    mode: str = "constant",
    *,
    constant_values: Any = None,
    end_values: Any = None,
    stat_length: Any = None,
    reflect_type: str | None = None,
    name: str | None = None,
) -> Node:
    """y = x with more elements at the ends of its axes.

    pad_width: one number for all ends, a pair (before, after) for all axes, a pair for each axis,
    or a dict from axes to pairs. mode: 'constant' (`constant_values`, by default 0), 'edge' (the
    last element repeated), 'reflect' (mirrored at the last element), 'symmetric' (mirrored behind
    it), 'wrap' (from the other end), 'linear_ramp' (down to `end_values`, by default 0),
    'maximum', 'mean', 'median', 'minimum' (of the `stat_length` elements next to the end, by
    default of all), 'empty' (unspecified: here 0). reflect_type 'odd' continues the two mirroring
    modes as 2·(last element) − (mirrored elements).

    >>> import palingrad as pg
    >>> pg.pad([1.0, 2.0, 3.0], (2, 1), mode="reflect").value
    array([3., 2., 1., 2., 3., 2.], dtype=float32)
    """
    if callable(mode):
        raise ArgumentError(
            "pad: mode is a function, which would write into an array; nodes don't change.",
            hint="Join the parts: pg.concat([before, x, after], axis=0).",
        )
    one_of("pad: mode", mode, MODES)
    given = dict(constant_values=constant_values, end_values=end_values,
                 stat_length=stat_length, reflect_type=reflect_type)  # fmt: skip
    own, default = _OPTIONS.get(mode, ("", None))
    for option, value in given.items():
        if value is not None and option != own:
            takes = f"takes {own}" if own else "takes no option"
            raise ArgumentError(f"pad: mode {mode!r} {takes}, not {option}.",
                                hint=f"Leave {option} out, or take another mode.")  # fmt: skip
    value = given.get(own)
    value = default if value is None else value
    if own == "reflect_type":
        one_of("pad: reflect_type", value, ("even", "odd"))
    elif own:
        value = _numbers(own, value, whole=own == "stat_length")
    x = as_node(x)
    _check_option(x, own, value)
    if isinstance(pad_width, Mapping):
        pad_width = _listed(pad_width, x)
    width = _numbers("pad_width", pad_width, whole=True)
    return Pad(x, width=width, mode=mode, option=value, name=name)


def _check_option(x: Node, own: str, value: Any) -> None:
    """Raise an error for numbers that x's dtype can't hold, or for statistics of no elements."""
    if own == "stat_length" and value is not None and not np.all(value):
        raise ArgumentError("pad: stat_length is 0; a statistic needs an element or more.",
                            hint="Write stat_length=1.")  # fmt: skip
    ends = np.asarray(value if own in ("constant_values", "end_values") else 0, np.float64)
    if is_integer(x.dtype) and (ends != np.trunc(ends)).any():
        raise DTypeError(f"pad: {own} {value!r} doesn't fit {x.dtype}.",
                         hint="Convert x to a float before: pg.cast(x, 'float32').")  # fmt: skip
