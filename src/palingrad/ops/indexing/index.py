"""x[index] for an index with arrays: masks, integers, and mixtures with slices, as in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph.declared.bounds import rows_of_axes
from ...graph.describe.notation import Piece, index_text, indexed
from ...graph.kinds import Composite
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...graph.samples import case
from ...shapes import Shape, sizes
from ..layout.move import Slice
from ..layout.take import Take
from .gather import GatherND
from .parts import Plan, Slot, check_arrays, out_of_range, parsed, placed, plan_of, shape_at

_I, _J = Slot(0), Slot(1)
_ALL = slice(None)


class AdvancedIndex(Composite):
    """y = x[index] for an index with arrays of integers, which are inputs, as in NumPy.

    The arrays and the integers beside them broadcast together. Their axes take the place of those
    that they index; if slices, None or … separate them, they come first.
    """

    math = r"{x}[i]"
    promotes = False
    stays_finite = True
    samples = [
        case((3, 4), np.array([0, 2, 2]), np.array([[1], [-1]]), index=(_I, _J)),
        case((3, 2, 4), np.array([0, 2]), np.array([1, 1]), index=(_I, slice(None, None, -1), _J)),
        case((2, 3, 4), np.array([0, 2]), index=(-1, None, _ALL, _I)),
        case((2, 4), np.array([[0, 3]]), index=(Ellipsis, _I, None)),
    ]

    def shape_rule(y, *shapes):
        check_arrays(y.inputs[1:])
        parts = y.attributes["index"]
        found = shape_at(parts, shapes[0], shapes[1:])
        if 0 not in found:
            check_constants(parts, shapes[0], y.inputs[1:])
        return found

    def _infer(self) -> None:
        self._dtype = self.inputs[0].dtype
        if all(one.shape is not None for one in self.inputs):
            super()._infer()

    def compute(self, *values):
        x, *arrays = values
        parts = self.attributes["index"]
        if not any(isinstance(part, Slot) and (part.new or part.length is not None)
                   for part in parts):  # fmt: skip
            found = x[numpys_index(parts, arrays)]
            if found.size:  # NumPy has checked the index
                return found
        self.shape_rule(x.shape, *(one.shape for one in arrays))  # NumPy knows no masks here
        return x[numpys_index(parts, arrays)]

    def expand(y, x, *arrays):
        plan = plan_of(y.attributes["index"], x.ndim or 0)
        part = x if is_whole(plan.before) else x[plan.before]
        found = gathered(part, indices_of(plan, part, arrays), plan)
        return to_front(found, plan, chosen_axes(arrays))

    def notation(y, x, *arrays):
        return indexed(x, index_notation(y.attributes["index"], arrays))

    def structure(y, position, size, out):
        return "selection"


def numpys_index(parts: Sequence[Any], arrays: Sequence[Any]) -> tuple[Any, ...]:
    """The index for an array of NumPy's."""
    values = [bool(arrays[part.number].size) if part.new else arrays[part.number]
              for part in parts if isinstance(part, Slot)]  # fmt: skip
    found = iter(values)
    return tuple(next(found) if isinstance(part, Slot) else part for part in parts)


def index_notation(parts: Sequence[Any], arrays: Sequence[Piece]) -> str:
    """LaTeX of an index, given that of its arrays."""
    return ", ".join(
        arrays[part.number].latex if isinstance(part, Slot) else index_text([part])
        for part in parts
    )


def check_constants(parts: Sequence[Any], x: Shape, arrays: Sequence[Node]) -> None:
    """Raise OutOfRangeError for constants in an index that are out of range for x's shape."""
    if 0 in x:
        return  # NumPy says what is wrong
    for part in placed(parts, len(x)):
        if isinstance(part.value, Slot) and part.axis is not None:
            array, size = arrays[part.value.number], x[part.axis : part.axis + 1]
            for one in rows_of_axes([array], size, 0, named=(part.axis,)):
                one.check_constant()


def is_whole(index: tuple[Any, ...]) -> bool:
    """Whether a basic index selects everything as it is."""
    return all(isinstance(part, slice) and part == _ALL for part in index)


def chosen_axes(arrays: Sequence[Node]) -> int:
    """The number of axes of the arrays' common shape."""
    return max(one.ndim or 0 for one in arrays)


def indices_of(plan: Plan, part: Node, arrays: Sequence[Node]) -> list[Node]:
    """The integers for each axis of the span: the arrays, with axes of size 1 for the slices and
    new axes among them, and those slices as integers on these axes."""
    rest = len(plan.kept)
    shape = sizes(part.shape)
    found: list[Node] = []
    axis = plan.axis
    for place, one in enumerate(plan.span):
        if one.value is None:
            continue
        size = shape[axis]
        axis += 1
        if isinstance(one.value, Slot):
            found.append(_with_axes(arrays[one.value.number], rest))
        elif isinstance(one.value, slice):
            numbers = np.arange(*one.value.indices(size))
            after = rest - 1 - plan.kept.index(place)
            found.append(Constant(numbers.reshape(-1, *(1,) * after)))
        elif -size <= one.value < size:
            found.append(Constant(np.int64(one.value)))
        else:
            raise out_of_range(one.value, one.axis, size)
    return found


def _with_axes(x: Node, count: int) -> Node:
    """x with `count` more axes of size 1 at the end."""
    return ops.reshape(x, (*sizes(x.shape), *(1,) * count)) if count else x


def gathered(x: Node, indices: list[Node], plan: Plan) -> Node:
    """x at integers for each axis of the plan's span."""
    if len(indices) == 1 and plan.axes == (plan.axis,):
        return Take(x, indices[0], axis=plan.axis)
    return GatherND(x, *indices, axis=plan.axis, named=plan.axes)


def to_front(found: Node, plan: Plan, count: int) -> Node:
    """With the axes of the arrays first, if the plan says so."""
    if not plan.in_front or plan.axis == 0:
        return found
    ndim = found.ndim or 0
    chosen = range(plan.axis, plan.axis + count)
    rest = [axis for axis in range(ndim) if axis not in chosen]
    return ops.permute_dims(found, (*chosen, *rest))


def from_front(values: Node, plan: Plan, count: int) -> Node:
    """The inverse of `to_front`."""
    if not plan.in_front or plan.axis == 0:
        return values
    ndim = values.ndim or 0
    order = (*range(count, count + plan.axis), *range(count), *range(count + plan.axis, ndim))
    return ops.permute_dims(values, order)


def element(x: Any, index: Any, *, name: str | None = None) -> Node:
    """y = x[index] for any index."""
    parts, arrays = parsed(index)
    if not arrays:
        return Slice(x, index=parts, name=name)
    source = as_node(x)
    if len(parts) == 1 and parts[0] == _I and source.shape != ():
        return Take(source, arrays[0], axis=0, name=name)
    return AdvancedIndex(source, *arrays, index=parts, name=name)
