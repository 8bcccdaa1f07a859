"""The parts of an index: which axes they name, and where NumPy puts the axes of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...dtypes import is_boolean, is_integer
from ...errors import DTypeError, GraphError, OutOfRangeError, ShapeError
from ...graph.context import context
from ...graph.leaves import Constant, Variable
from ...graph.node import Node
from ...graph.promotion import as_node
from ...shapes import Dim, Shape, broadcast, same, text


class Slot(NamedTuple):
    """An array in an index, which is an input of the operation.

    `length` is the size that the axis must have, for a part of a mask; `new` says that it indexes a
    new axis of size 1, as 0-d booleans do.
    """

    number: int
    length: int | None = None
    new: bool = False

    def __repr__(self) -> str:
        return f"i{self.number}"


class Part(NamedTuple):
    """A part of an index and the axis that it names, None if it names none."""

    value: Any
    axis: int | None

    @property
    def is_array(self) -> bool:
        """Whether it is an array of integers."""
        return isinstance(self.value, Slot)

    @property
    def is_kept(self) -> bool:
        """Whether it is a slice or a new axis."""
        return self.value is None or isinstance(self.value, slice)


def parsed(index: Any) -> tuple[tuple[Any, ...], list[Node]]:
    """The parts of an index, arrays replaced by slots, and these arrays: integers, as nodes.

    Raises GraphError for a mask whose value isn't known.
    """
    parts: list[Any] = []
    arrays: list[Node] = []
    for part in index if isinstance(index, tuple) else (index,):
        if part is None or part is Ellipsis:
            parts.append(part)
        elif isinstance(part, slice):
            parts.append(slice(*map(_end, (part.start, part.stop, part.step))))
        elif isinstance(part, (int, np.integer)) and not isinstance(part, bool):
            parts.append(int(part))
        else:
            _add_array(part, parts, arrays)
    if sum(part is Ellipsis for part in parts) > 1:
        raise OutOfRangeError("an index may have one ..., not several")
    return tuple(parts), arrays


def _end(end: Any) -> int | None:
    """The start, stop or step of a slice."""
    try:
        return None if end is None else end.__index__()
    except (AttributeError, TypeError):
        raise DTypeError(
            f"a slice from, to or by {end!r:.40}: expected integers",
            hint="Write int(n), or n // 2 for a half.",
        ) from None


def _add_array(part: Any, parts: list[Any], arrays: list[Node]) -> None:
    """Appends an array of integers or booleans, a number that is a node, or a list."""
    if isinstance(part, (list, tuple)) and len(part) == 0:
        part = np.zeros(0, np.int64)
    try:
        node = as_node(part)
    except DTypeError:
        raise DTypeError(
            f"an index is an integer, a slice, None, ..., or an array of integers or booleans, "
            f"got {type(part).__name__} {part!r:.40}.",
            hint="An axis is written x[:, 0], for example.",
        ) from None
    known = is_fixed(node)
    if is_boolean(node.dtype):
        _add_mask(node, known, parts, arrays)
    elif node.dtype is not None and not is_integer(node.dtype):
        raise DTypeError(
            f"an index is an integer, a slice, None, ..., or an array of integers or booleans, "
            f"got {_described(part)}.",
            hint="Write int(i), or pg.cast(i, 'int64') for an array.",
        )
    elif known and node.shape == ():
        parts.append(node.__index__())
    else:
        parts.append(Slot(len(arrays)))
        arrays.append(node)


def check_arrays(arrays: Sequence[Node]) -> None:
    """Raise DTypeError for arrays in an index that aren't integers."""
    for one in arrays:
        if is_boolean(one.dtype):
            raise DTypeError(
                "a mask selects as many elements as it is True, which is known in a run only",
                hint="Write pg.where(mask, x, 0), or x[pg.nonzero(mask, size=n)].",
            )
        if one.dtype is not None and not is_integer(one.dtype):
            raise DTypeError(
                f"an index is {one.dtype}, expected integers", hint="Write pg.cast(i, 'int64')."
            )


def _described(part: Any) -> str:
    kind = type(part).__name__
    if isinstance(part, (Node, np.ndarray)):
        return f"an array of {part.dtype}"
    return f"{kind} {part!r:.40}"


def is_fixed(node: Node) -> bool:
    """Whether the node's value is known and no later run changes it."""
    return node._value is not None and not (
        isinstance(node, Variable) and context().graph is not None
    )


def _add_mask(node: Node, known: bool, parts: list[Any], arrays: list[Node]) -> None:
    """Appends the positions at which a mask is True, an array of integers for each of its axes."""
    if not known:
        raise GraphError(
            f"x[mask] has as many elements as {node.label()} is True{node.built()}, which is known "
            "in a run only.",
            hint="Write pg.where(mask, x, 0), x[pg.nonzero(mask, size=n)], or x.at[mask].set(0).",
        )
    mask = node.numpy()
    for positions, length in zip(np.nonzero(np.atleast_1d(mask)), mask.shape or (1,), strict=True):
        parts.append(Slot(len(arrays), length, new=mask.ndim == 0))
        arrays.append(Constant(positions))


def placed(parts: Sequence[Any], ndim: int) -> list[Part]:
    """The parts with their axes; `...` is replaced by whole slices, each marked as one of those.

    Raises ShapeError for too many indices.
    """
    named = sum(_names_an_axis(part) for part in parts)
    if named > ndim:
        raise OutOfRangeError(
            f"{named} indices for {ndim} axes", hint="None inserts an axis: x[:, None]."
        )
    rest = [slice(None)] * (ndim - named)
    place = next((at for at, part in enumerate(parts) if part is Ellipsis), len(parts))
    found: list[Part] = []
    axis = 0
    for part in (*parts[:place], *rest, *parts[place + 1 :]):
        found.append(Part(part, axis if _names_an_axis(part) else None))
        axis += _names_an_axis(part)
    return found


def _names_an_axis(part: Any) -> bool:
    return part is not None and part is not Ellipsis and not (isinstance(part, Slot) and part.new)


class Plan(NamedTuple):
    """How an index with arrays is computed: x[before], then a gather along the axes `span` of that,
    then a transposition of the arrays' axes to the front if other parts separate them."""

    before: tuple[Any, ...]  # a basic index: what is outside the span
    axis: int  # of x[before], the first of the span
    span: list[Part]  # from the first array to the last, without new axes of size 1
    kept: list[int]  # the places in the span of slices and new axes
    axes: tuple[int, ...]  # of x, those in the span
    in_front: bool


def plan_of(parts: Sequence[Any], ndim: int) -> Plan:
    """The plan of an index with at least one array."""
    found = placed(parts, ndim)
    arrays = [at for at, part in enumerate(found) if part.is_array]
    first, last = arrays[0], arrays[-1]
    span = found[first : last + 1]
    outside = [part.value for part in found[:first]]
    rest = [part.value for part in found[last + 1 :]]
    whole = [None if isinstance(part.value, Slot) and part.value.new else slice(None)
             for part in span if part.value is not None]  # fmt: skip
    kept_before = sum(part.is_kept for part in found[:first])
    axes = tuple(part.axis or 0 for part in span if part.value is not None)
    kept = [at for at, part in enumerate(span) if part.is_kept]
    return Plan((*outside, *whole, *rest), kept_before, span, kept, axes, _are_apart(parts))


def _are_apart(parts: Sequence[Any]) -> bool:
    """Whether slices, new axes or `...` separate integers and arrays; their axes then go first."""
    advanced = [isinstance(part, (int, Slot)) for part in parts]
    first = advanced.index(True)
    last = len(advanced) - advanced[::-1].index(True)
    return not all(advanced[first:last])


def shape_at(parts: Sequence[Any], shape: Shape, arrays: Sequence[Shape]) -> Shape:
    """The shape of x[index] for an x of `shape`, some of whose sizes may be unknown."""
    plan = plan_of(parts, len(shape))
    sizes = {part.axis: shape[part.axis] for part in placed(parts, len(shape))
             if part.axis is not None}  # fmt: skip
    before: list[Dim] = []
    between: list[Dim] = []
    after: list[Dim] = []
    found = placed(parts, len(shape))
    count = sum(part.is_array for part in found)
    seen = 0
    for part in found:
        dim = None if part.axis is None else sizes[part.axis]
        seen += part.is_array
        if isinstance(part.value, Slot):
            _check_length(part.value.length, dim, part.axis)
        elif part.is_kept:
            size = 1 if part.value is None else length_of(part.value, dim)
            (before if not seen else after if seen == count else between).append(size)
        elif dim is not None and not -dim <= part.value < dim:
            raise out_of_range(part.value, part.axis, dim)
    chosen = _broadcast(arrays)
    if plan.in_front:
        return (*chosen, *before, *between, *after)
    return (*before, *chosen, *after)


def _broadcast(arrays: Sequence[Shape]) -> Shape:
    try:
        return broadcast(*arrays)
    except ShapeError:
        listed = ", ".join(map(text, arrays))
        raise OutOfRangeError(
            f"index arrays of shapes {listed} don't broadcast together",
            hint="np.ix_(rows, columns) selects all their combinations.",
        ) from None


def _check_length(length: int | None, dim: Dim, axis: int | None) -> None:
    if length is not None and axis is not None and not same(length, dim):
        raise OutOfRangeError(
            f"a mask of size {length} for axis {axis}, whose size is {dim}",
            hint="A mask has x's shape, or that of its first axes.",
        )


def out_of_range(index: int, axis: int | None, size: int) -> OutOfRangeError:
    """The error for an integer that names no row of an axis."""
    hint = f"The last is {size - 1}, or -1." if size else "The axis is empty."
    fact = f"index {index} is out of range for axis {axis}, whose size is {size}"
    return OutOfRangeError(fact, hint=hint)


def length_of(part: slice, dim: Dim) -> Dim:
    """The number of elements of a slice of an axis of this size."""
    if dim is None:
        return None
    return len(range(*part.indices(dim)))
