"""x with the elements at an index combined with values: the operation behind `x.at[index]`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import DType, is_complex, is_inexact, is_integer, promote
from ...errors import DTypeError, ShapeError
from ...graph.describe.notation import subscripted
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.promotion import in_dtype
from ...graph.registry import ops
from ...graph.samples import case
from ...shapes import Shape, broadcast, same, size, sizes, sliced, text
from .gather import SIGNS, ScatterND
from .index import (
    check_constants,
    chosen_axes,
    from_front,
    index_notation,
    indices_of,
    is_whole,
    numpys_index,
)
from .overwrite import Overwrite
from .parts import Slot, check_arrays, plan_of, shape_at

# The kinds of dtypes that hold sums with a Python number.
_HOLDING = {bool: "biufc", int: "iufc", float: "fc", complex: "c"}


class IndexUpdate(Composite):
    """y = x with y[index] = v, or x[index] combined with v as `how` says; see `x.at`.

    v broadcasts to x[index] and is converted to x's dtype. The index is NumPy's: its arrays are
    inputs.
    """

    math = r"{x}[i] \leftarrow {v}"
    promotes = False
    samples = [
        case((3, 4), (2,), np.array([0, 2]), np.array([1, 1]), index=(Slot(0), Slot(1)), how="set"),
        case((3, 2, 4), (2, 1), np.array([0, 2]), index=(Slot(0), slice(None, None, -1), 1),
             how="add"),
        case((2, 3, 4), (), np.array([[2, 2]]), index=(1, None, slice(1, 3), Slot(0)), how="set"),
        case((3, 4), (2, 1), index=(slice(0, 3, 2), slice(1, 3)), how="multiply"),
    ]  # fmt: skip

    def shape_rule(y, *shapes):
        x, values, *arrays = shapes
        check_arrays(y.inputs[2:])
        found = shape_of_part(y.attributes["index"], x, arrays)
        if 0 not in found:
            check_constants(y.attributes["index"], x, y.inputs[2:])
        if not _fits(values, found):
            raise ShapeError(
                f"values of shape {text(values)} for elements of shape {text(found)}",
                hint="They broadcast to x[index]: one number, or an array of that shape.",
            )
        return x

    def _infer(self) -> None:
        self._dtype = self.inputs[0].dtype
        if all(one.shape is not None for one in self.inputs):
            super()._infer()

    def compute(self, *values):
        x, _, *arrays = values
        if not size(shape_of_part(self.index, x.shape, [one.shape for one in arrays])):
            x[numpys_index(self.index, arrays)]  # raises IndexError where writing nothing doesn't
        return super().compute(*values)

    def expand(y, x, v, *arrays):
        index, how = y.attributes["index"], y.attributes["how"]
        v = as_dtype_of(x, v, how)
        if not arrays:
            part = x[index]
            return Overwrite(x, combined(how, part, _broadcast(v, part.shape)), index=index)
        plan = plan_of(index, x.ndim or 0)
        shape = shape_at(index, x.shape or (), [one.shape or () for one in arrays])
        v = from_front(_broadcast(v, shape), plan, chosen_axes(arrays))
        part = x if is_whole(plan.before) else x[plan.before]
        indices = indices_of(plan, part, arrays)
        part = ScatterND(part, v, *indices, axis=plan.axis, named=plan.axes, how=how)
        return part if is_whole(plan.before) else Overwrite(x, part, index=plan.before)

    def notation(y, x, v, *arrays):
        place = index_notation(y.attributes["index"], arrays)
        sign = SIGNS[y.attributes["how"]]
        return subscripted(x, f"[{place}] {sign} {v.latex}")


def shape_of_part(index: tuple[Any, ...], x: Shape, arrays: Sequence[Shape]) -> Shape:
    """The shape of x[index]."""
    return shape_at(index, x, arrays) if arrays else sliced(x, index)


def _fits(values: Shape, part: Shape) -> bool:
    """Whether values broadcast to x[index], without leading axes of size 1, as in NumPy."""
    extra = max(len(values) - len(part), 0)
    if not all(one in (1, None) for one in values[:extra]):
        return False
    try:
        found = broadcast(values[extra:], part)
    except ShapeError:
        return False
    return all(map(same, found, part))


def _broadcast(values: Node, shape: Any) -> Node:
    """The values in the shape of x[index], which they fit."""
    own = sizes(values.shape)
    if len(own) > len(shape):
        values = ops.reshape(values, own[len(own) - len(shape) :])
    return values if values.shape == shape else ops.broadcast_to(values, shape)


def as_dtype_of(x: Node, values: Node, how: str) -> Node:
    """The values in x's dtype. Raises DTypeError where NumPy's ufuncs refuse to write the result
    of x and the values to x."""
    dtype = x.dtype
    if how in ("minimum", "maximum") and dtype is not None and is_complex(dtype):
        raise DTypeError("complex numbers have no order", hint="Compare pg.abs(x).")
    if dtype is None or values.dtype is None or (values.dtype == dtype and values.weak is None):
        return values
    if is_integer(dtype) and isinstance(values.weak, float) and not math.isfinite(values.weak):
        raise DTypeError(f"{values.weak} for an array of {dtype}, which has no such number",
                         hint="Convert the array first: x.astype(float).")  # fmt: skip
    lost = is_complex(values.dtype) and not is_complex(dtype)
    if lost or (how != "set" and not _can_hold(dtype, values)):
        raise DTypeError(
            f"{values.dtype} values for an array of {dtype}, which can't hold the result",
            hint="Convert one: x.astype(float), or pg.cast(values, x.dtype).",
        )
    if type(values.weak) is float and not is_inexact(dtype):
        return ops.cast(values, dtype)
    strong = in_dtype(values, dtype)
    return ops.cast(values, dtype) if strong is values else strong  # a fed number is weak


def _can_hold(dtype: DType, values: Node) -> bool:
    if values.weak is not None:
        return dtype.kind in _HOLDING[type(values.weak)]
    assert values.dtype is not None
    return np.can_cast(promote(dtype, values.dtype), dtype, "same_kind")


def combined(how: str, x: Node, values: Node) -> Node:
    """x replaced by the values, or combined with them element by element."""
    if how == "set":
        return values
    return {"add": ops.add, "multiply": ops.multiply, "divide": ops.divide,
            "minimum": ops.minimum, "maximum": ops.maximum}[how](x, values)  # fmt: skip
