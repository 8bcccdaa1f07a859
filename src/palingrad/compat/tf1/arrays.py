"""Constants, placeholders, and tensors moved, joined and taken apart, by TensorFlow's names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...graph.leaves import Constant, placeholder as fed
from ...graph.registry import ops
from .framework.convert import convert_to_tensor, node, nodes, number_of
from .framework.graph import (
    Operation,
    Tensor,
    Text,
    build,
    constant_of,
    get_default_graph,
    slicing,
)
from .framework.types import TensorShape, as_dtype, numeric, static


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor of fixed values. A single number fills a larger shape. Strings are kept as bytes."""
    array = np.asarray(value)
    if array.dtype.kind in "US" or (dtype is not None and as_dtype(dtype).name == "string"):
        graph = get_default_graph()
        encoded = np.array(
            [one.encode() if isinstance(one, str) else one for one in array.ravel()], object
        ).reshape(array.shape)
        op = Operation(graph, graph.unique_name(name or "Const"), "Const")
        return Text(op, lambda: encoded[()])
    array = constant_of(value, None if dtype is None else numeric(dtype))
    if shape is not None:
        sizes = static(shape) or ()
        array = np.full(sizes, array) if array.size == 1 else array.reshape(sizes)  # type: ignore
    return build("Const", name, lambda: Constant(array))


def placeholder(dtype: Any = "float32", shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor that is fed to each run."""
    return build("Placeholder", name, lambda: fed(static(shape), dtype=numeric(dtype)))


# ---------------------------------------------------------------- shapes


class SizeOf(Tensor):
    """The size of one axis of a tensor, which only a run knows."""

    of: tuple[Tensor, int]


class ShapeOf(Tensor):
    """The shape of a tensor, some sizes of which only a run knows."""

    of: Tensor


def _along(x: Any, axis: int) -> Any:
    """A vector as long as an axis of x."""
    return x[(*(0,) * axis, slice(None), *(0,) * (len(x.shape) - axis - 1))]


def _size(x: Any, axis: int, dtype: Any) -> Any:
    known = x.shape[axis]
    if known is not None:
        return Constant(np.asarray(known, dtype))
    return ops.cast(ops.sum(ops.cast(ops.ones_like(_along(x, axis)), np.dtype(np.int64))), dtype)


def shape(input: Any, name: str | None = None, out_type: Any = "int32") -> Tensor:
    """The sizes, as a vector of integers."""
    x = convert_to_tensor(input)
    x.shape.as_list()
    sizes: Any = x.node.shape
    if None not in sizes:
        return constant(sizes, out_type, name=name or "Shape")
    made = build(
        "Shape",
        name,
        lambda: ops.stack([_size(x.node, axis, numeric(out_type)) for axis in range(len(sizes))]),
    )
    found = ShapeOf(made.op, made.node)
    made.op.outputs[:] = [found]
    found.value_index, found.of = 0, x
    return found


def _item_of_shape(x: ShapeOf, axis: int) -> Tensor:
    sizes = x.of.shape.as_list()
    axis = range(len(sizes))[axis]
    known = sizes[axis]
    if known is not None:
        return constant(known, x.dtype)
    made = build("strided_slice", None, lambda: _size(x.of.node, axis, x.node.dtype))
    found = SizeOf(made.op, made.node)
    made.op.outputs[:] = [found]
    found.value_index, found.of = 0, (x.of, axis)
    return found


def size(input: Any, name: str | None = None, out_type: Any = "int32") -> Tensor:
    """The number of elements."""

    def counted() -> Any:
        x = node(input)
        count = TensorShape(x.shape).num_elements()
        if count is not None:
            return Constant(np.asarray(count, numeric(out_type)))
        return ops.cast(ops.sum(ops.cast(ops.ones_like(x), np.dtype(np.int64))), numeric(out_type))

    return build("Size", name, counted)


def rank(input: Any, name: str | None = None) -> Tensor:
    """The number of axes."""
    return constant(len(convert_to_tensor(input).shape), "int32", name=name or "Rank")


def _slice(x: Tensor, key: Any) -> Tensor:
    if isinstance(x, ShapeOf) and isinstance(key, int):
        return _item_of_shape(x, key)
    if isinstance(x, ShapeOf) and isinstance(key, slice):
        return stack([_item_of_shape(x, axis) for axis in range(len(x.of.shape))[key]])
    known = number_of(x)
    if known is not None and isinstance(key, (int, slice)):
        return constant(known[key])  # so that parts of a shape stay known
    if isinstance(key, (Tensor, list, np.ndarray)):
        raise ShapeError(
            "tensors are indexed by integers and slices.",
            hint="tf.gather(x, indices) and tf.boolean_mask(x, mask) choose elements.",
        )
    keys = key if isinstance(key, tuple) else (key,)
    inner = tuple(node(one) if isinstance(one, Tensor) else one for one in keys)
    return build("strided_slice", None, lambda: x.node[inner])


slicing[:] = [_slice]


def sizes(wanted: Any, what: str) -> list[Any]:
    """A shape given by numbers and tensors, as integers and SizeOf tensors."""
    if isinstance(wanted, ShapeOf):
        return [_item_of_shape(wanted, axis) if size is None else size
                for axis, size in enumerate(wanted.of.node.shape or ())]  # fmt: skip
    known = number_of(wanted)
    if known is not None:
        return [int(one) for one in np.atleast_1d(known)]
    items = wanted if isinstance(wanted, (list, tuple)) else []
    found = [one if isinstance(one, SizeOf) else number_of(one) for one in items]
    if not items or any(one is None for one in found):
        raise ShapeError(
            f"{what}: a shape of numbers that only a run knows isn't possible here, except sizes "
            "tf.shape(x)[i].",
            hint="Give sizes as integers, -1 for one of tf.reshape.",
        )
    return [one if isinstance(one, SizeOf) else int(one) for one in found]


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The same elements in another shape; one size may be −1."""
    wanted = sizes(shape, "reshape")
    open_ones = [one for one in wanted if isinstance(one, SizeOf) or one == -1]
    if len(open_ones) > 1:
        raise ShapeError("reshape: only one size may be unknown before a run.")
    target = [-1 if isinstance(one, SizeOf) else one for one in wanted]
    return build("Reshape", name, lambda: ops.reshape(node(tensor), tuple(target)))


def filled(shape: Any, value: Any, dtype: Any, what: str) -> Any:
    """A node of this shape, all of whose elements have one value; for use while building."""
    wanted = sizes(shape, what)
    if not any(isinstance(one, SizeOf) for one in wanted):
        return Constant(np.full(wanted, value, dtype))
    made: Any = Constant(np.asarray(value, dtype))
    for axis, one in enumerate(wanted):
        ones: Any = Constant(np.ones(one, dtype)) if not isinstance(one, SizeOf) else ops.cast(
            ops.ones_like(_along(one.of[0].node, one.of[1])), dtype
        )  # fmt: skip
        made = made * ops.reshape(ones, (-1, *(1,) * (len(wanted) - axis - 1)))
    return made


def zeros(shape: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Zeros of this shape, which may have sizes tf.shape(x)[i]."""
    return build("zeros", name, lambda: filled(shape, 0, numeric(dtype), "zeros"))


def ones(shape: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Ones of this shape, which may have sizes tf.shape(x)[i]."""
    return build("ones", name, lambda: filled(shape, 1, numeric(dtype), "ones"))


def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    """One value in this shape."""
    known = number_of(value)
    if known is None:
        return build("Fill", name, lambda: filled(dims, 1, node(value).dtype, "fill") * node(value))
    array = constant_of(value)
    return build("Fill", name, lambda: filled(dims, array, array.dtype, "fill"))


def zeros_like(tensor: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Zeros of a tensor's shape."""
    return build("zeros_like", name, lambda: _cast(ops.zeros_like(node(tensor)), dtype))


def ones_like(tensor: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Ones of a tensor's shape."""
    return build("ones_like", name, lambda: _cast(ops.ones_like(node(tensor)), dtype))


def _cast(x: Any, dtype: Any) -> Any:
    return x if dtype is None else ops.cast(x, numeric(dtype))


def range_(
    start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range"
) -> Tensor:
    """The numbers from `start`, below `limit`, in steps of `delta`."""
    if limit is None:
        start, limit = 0, start
    ends = [number_of(one) for one in (start, limit, delta)]
    if None not in [None if one is None else 0 for one in ends]:
        array = np.arange(*(one[()] for one in ends if one is not None))
        return constant(array.tolist(), dtype or ("int32" if not array.size else None), name=name)
    if isinstance(limit, SizeOf) and ends[0] == 0 and ends[2] == 1:
        tensor, axis = limit.of

        def counted() -> Any:
            ones = ops.cast(ops.ones_like(_along(tensor.node, axis)), limit.node.dtype)
            return _cast(ops.cast(ops.cumsum(ones) - 1, limit.node.dtype), dtype)

        return build("range", name, counted)
    raise ShapeError(
        "range: the bounds are numbers, or the upper one is tf.shape(x)[i] of a start 0."
    )


def linspace(start: Any, stop: Any, num: int, name: str | None = None) -> Tensor:
    """`num` numbers at equal distances, both ends included."""
    return constant(np.linspace(start, stop, num).astype(np.float32), name=name or "LinSpace")


def eye(num_rows: int, num_columns: int | None = None, dtype: Any = "float32", name: Any = None):
    """The identity matrix."""
    return constant(np.eye(num_rows, num_columns, dtype=numeric(dtype)), name=name or "eye")


# ---------------------------------------------------------------- moved, joined, taken apart


def transpose(a: Any, perm: Any = None, name: str | None = None) -> Tensor:
    """The axes in another order, by default reversed."""

    def moved() -> Any:
        x = node(a)
        order = perm if perm is not None else range(len(x.shape or ()))[::-1]
        return ops.permute_dims(x, tuple(int(axis) for axis in order))

    return build("transpose", name, moved)


def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """A new axis of size 1."""
    place = dim if axis is None else axis
    return build("ExpandDims", name, lambda: ops.expand_dims(node(input), place))


def squeeze(input: Any, axis: Any = None, name: Any = None, squeeze_dims: Any = None) -> Tensor:
    """Without axes of size 1: all of them, or these."""
    axes = squeeze_dims if axis is None else axis
    axes = tuple(axes) if isinstance(axes, list) else axes
    return build("Squeeze", name, lambda: ops.squeeze(node(input), axis=axes))


def concat(values: Sequence[Any], axis: int, name: str = "concat") -> Tensor:
    """Tensors joined along an axis."""
    given = [values] if isinstance(values, Tensor) else values
    return build("concat", name, lambda: ops.concat(_all(given), axis=int(axis)))


def stack(values: Sequence[Any], axis: int = 0, name: str = "stack") -> Tensor:
    """Tensors joined along a new axis."""
    return build("stack", name, lambda: ops.stack(_all(values), axis=axis))


def _all(values: Sequence[Any]) -> list[Any]:
    dtype = next((one.node.dtype for one in values if isinstance(one, Tensor)), None)
    return [node(one, dtype) for one in values]


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack"):
    """The parts along an axis, as a list."""
    x = convert_to_tensor(value)
    length = x.shape.as_list()[axis]
    if length is None:
        raise ShapeError(f"unstack: the size of axis {axis} isn't known before a run.",
                         hint="Give the placeholder its size.")  # fmt: skip
    if num not in (None, length):
        raise ShapeError(f"unstack: the axis has {length} parts, not {num}.")
    return build("unstack", name, lambda: list(ops.unstack(x.node, axis=axis)))


def split(
    value: Any, num_or_size_splits: Any, axis: int = 0, num: Any = None, name: str = "split"
) -> list[Tensor]:
    """Parts along an axis: a number of equal ones, or of these sizes."""
    known = number_of(num_or_size_splits)
    if known is None:
        raise ShapeError("split: the sizes are numbers, known when the graph is built.")
    x = convert_to_tensor(value)

    def parts() -> Any:
        if not known.ndim:
            return list(ops.split(x.node, int(known), axis=axis))
        wanted = [int(one) for one in known]
        if -1 in wanted:
            total = x.shape.as_list()[axis]
            wanted[wanted.index(-1)] = (total or 0) - sum(wanted) - 1
        return list(ops.split(x.node, sizes=wanted, axis=axis))

    return build("split", name, parts)


def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """The tensor repeated along each axis."""
    return build("Tile", name, lambda: ops.tile(node(input), tuple(sizes(multiples, "tile"))))


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """The elements in reversed order along some axes."""
    return build("ReverseV2", name, lambda: ops.flip(node(tensor), axis=tuple(np.atleast_1d(axis))))


def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None,
    constant_values: Any = 0,
) -> Tensor:  # fmt: skip
    """Elements put before and after along each axis."""
    widths = [tuple(int(n) for n in pair) for pair in number_of(paddings)]  # type: ignore
    modes = {"CONSTANT": "constant", "REFLECT": "reflect", "SYMMETRIC": "symmetric"}
    kind = modes[mode.upper()]
    more = {"constant_values": constant_values} if kind == "constant" else {}
    return build("Pad", name, lambda: ops.pad(node(tensor), widths, kind, **more))


def gather(params: Any, indices: Any, name: str | None = None, axis: int = 0) -> Tensor:
    """The parts at these indices along an axis."""
    return build("Gather", name, lambda: ops.take(node(params), node(indices), axis=axis))


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """x where the condition holds, else y; a vector condition chooses rows."""
    if x is None or y is None:
        raise ShapeError("where: the places where a condition holds have a shape that only a run "
                         "knows.", hint="Write tf.where(condition, x, y).")  # fmt: skip

    def chosen() -> Any:
        c, (a, b) = node(condition), nodes(x, y)
        ndim = getattr(a, "ndim", 0) or 0
        if c.shape is not None and len(c.shape) == 1 and ndim > 1:
            c = ops.reshape(c, (-1, *(1,) * (ndim - 1)))
        return ops.where(c, a, b)

    return build("Select", name, chosen)


def one_hot(
    indices: Any, depth: int, on_value: Any = None, off_value: Any = None, axis: int = -1,
    dtype: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Vectors with `on_value` at the index, and `off_value` elsewhere."""
    kind = numeric(dtype or "float32")

    def vectors() -> Any:
        hot = ops.one_hot(node(indices), int(depth), axis=axis, dtype=kind)
        on, off = 1 if on_value is None else on_value, 0 if off_value is None else off_value
        return hot if (on, off) == (1, 0) else hot * (on - off) + off

    return build("one_hot", name, vectors)


def _strided(input: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """A block of these sizes from these beginnings; a size −1 goes to the end."""
    ends = [None if n == -1 else int(b) + int(n) for b, n in zip(begin, size, strict=True)]
    keys = tuple(slice(int(b), e) for b, e in zip(begin, ends, strict=True))
    return build("Slice", name, lambda: node(input)[keys])


slice_: Callable[..., Tensor] = _strided
