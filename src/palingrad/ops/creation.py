"""Arrays made of sizes and numbers, with the signatures of NumPy and the array API standard.

They are constants, also in a graph. Where a fill value or a bound is a node, the result depends on
it and has derivatives. Python floats make the default float, integers int64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import DType, as_dtype, default_dtype, is_inexact, is_integer
from ..errors import ArgumentError, DTypeError, ShapeError
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.promotion import align, as_node, tensor
from ..graph.protocols.interchange import check_device
from ..graph.registry import ops, register
from ..messages.checks import one_of, shown, whole
from ..shapes import as_shape, known, sizes

Size = int | Sequence[int]


def _dtype(name: str, dtype: Any, otherwise: DType | None = None) -> DType:
    """`dtype`, by default the default float. A number is a size outside a tuple."""
    if isinstance(dtype, (int, np.integer)):
        raise DTypeError(f"{name}: {dtype} is not a dtype.",
                         hint=f"Sizes are one tuple: pg.{name}((2, {dtype})).")  # fmt: skip
    if dtype is None:
        return default_dtype() if otherwise is None else otherwise
    return as_dtype(dtype)


def _shape(name: str, shape: Any) -> tuple[int, ...]:
    found = as_shape(tuple(shape) if isinstance(shape, np.ndarray) and shape.ndim else shape)
    if not known(found):
        raise ShapeError(f"{name}: a size is None in {shape!r}; expected integers.",
                         hint="The shape of another array: pg.zeros_like(x).")  # fmt: skip
    return sizes(found)


@register
def array(
    object: Any, dtype: Any = None, *, copy: bool | None = None, ndmin: int = 0,
    device: Any = None, name: str | None = None,
) -> Node:  # fmt: skip
    """`object` (array, number, nested lists, nodes in them) as a node, as by `tensor`.

    ndmin: the least number of axes; those that lack are put in front. copy: False is refused
    unless `object` is a node that can be returned itself.
    """
    check_device("array", device)
    made = _made("array", object, dtype, copy, name)
    missing = ndmin - (made.ndim or 0)
    return made if missing <= 0 else ops.expand_dims(made, tuple(range(missing)), name=name)


@register
def asarray(
    object: Any, dtype: Any = None, *, device: Any = None, copy: bool | None = None,
    name: str | None = None,
) -> Node:  # fmt: skip
    """`object` as a node: a node itself if it has the dtype, anything else as by `tensor`."""
    check_device("asarray", device)
    return _made("asarray", object, dtype, copy, name)


def _made(kind: str, value: Any, dtype: Any, copy: bool | None, name: str | None) -> Node:
    wanted = None if dtype is None else _dtype(kind, dtype)
    kept = wanted is None or (isinstance(value, Node) and value.dtype == wanted)
    if isinstance(value, Node) and value.weak is None and kept:
        return value if name is None and copy is not True else value.copy()
    if copy is False:
        raise ArgumentError(
            f"{kind}: copy=False, but a node holds numbers of its own: arrays are copied.",
            hint="Leave copy out.",
        )
    return tensor(value, dtype=wanted, name=name)


@register
def zeros(shape: Size, dtype: Any = None, *, device: Any = None, name: str | None = None) -> Node:
    """Zeros of a shape; dtype: by default the default float."""
    check_device("zeros", device)
    return Constant(np.zeros(_shape("zeros", shape), _dtype("zeros", dtype)), name=name)


@register
def ones(shape: Size, dtype: Any = None, *, device: Any = None, name: str | None = None) -> Node:
    """Ones of a shape; dtype: by default the default float."""
    check_device("ones", device)
    return Constant(np.ones(_shape("ones", shape), _dtype("ones", dtype)), name=name)


@register
def empty(shape: Size, dtype: Any = None, *, device: Any = None, name: str | None = None) -> Node:
    """Zeros of a shape: nodes can't be written to, so undefined values would be of no use."""
    check_device("empty", device)
    return Constant(np.zeros(_shape("empty", shape), _dtype("empty", dtype)), name=name)


@register
def full(
    shape: Size, fill_value: Any, dtype: Any = None, *, device: Any = None, name: str | None = None
) -> Node:
    """An array of a shape whose elements are `fill_value`, a number, or an array or node that is
    broadcast; dtype: by default that of the fill value."""
    check_device("full", device)
    value = _fill(fill_value, None if dtype is None else _dtype("full", dtype))
    target = _shape("full", shape)
    if isinstance(value, Constant) and not isinstance(fill_value, Node):
        try:
            return Constant(np.broadcast_to(value.numpy(), target), name=name)
        except ValueError:
            pass  # broadcast_to says it better
    return ops.broadcast_to(value, target, name=name)


def _fill(value: Any, dtype: DType | None) -> Node:
    """A fill value in `dtype`, to which a Python number is rounded once."""
    if dtype is None:
        return array(value)
    if isinstance(value, (bool, int, float, complex)):
        return Constant(_in(np.asarray(value), dtype))
    made = as_node(value)
    return made if made.dtype == dtype and made.weak is None else ops.cast(made, dtype)


@register
def full_like(
    x: Any, /, fill_value: Any, dtype: Any = None, *, shape: Size | None = None,
    device: Any = None, name: str | None = None,
) -> Node:  # fmt: skip
    """An array of the shape and dtype of x whose elements are `fill_value`."""
    check_device("full_like", device)
    x = as_node(x)
    wanted = x.dtype if dtype is None else _dtype("full_like", dtype)
    value = _fill(fill_value, wanted)
    if shape is not None or known(x.shape):
        return ops.broadcast_to(value, x.shape if shape is None else shape, name=name)
    everywhere = ops.equal(ops.zeros_like(x), 0)  # a mask of x's shape, once that is known
    return ops.where(everywhere, value, ops.zeros_like(value), name=name)


@register
def empty_like(
    x: Any, /, dtype: Any = None, *, shape: Size | None = None, device: Any = None,
    name: str | None = None,
) -> Node:  # fmt: skip
    """Zeros of the shape and dtype of x."""
    return ops.zeros_like(x, dtype, shape=shape, device=device, name=name)


@register
def eye(
    n_rows: int, n_cols: int | None = None, /, k: int = 0, dtype: Any = None, *,
    device: Any = None, name: str | None = None,
) -> Node:  # fmt: skip
    """Ones on the k-th diagonal of a matrix of zeros; k > 0 lies above the main diagonal."""
    check_device("eye", device)
    rows, *columns = (_shape("eye", size) for size in (n_rows, n_cols) if size is not None)
    made = np.eye(*rows, *(columns[0] if columns else ()), k=k, dtype=_dtype("eye", dtype))
    return Constant(made, name=name)


@register
def identity(n: int, dtype: Any = None, *, name: str | None = None) -> Node:
    """The identity matrix (n, n)."""
    return eye(n, dtype=dtype, name=name)


@register
def tri(
    n_rows: int, n_cols: int | None = None, k: int = 0, dtype: Any = None, *,
    name: str | None = None,
) -> Node:  # fmt: skip
    """Ones at and below the k-th diagonal of a matrix of zeros."""
    made = np.tri(n_rows, n_cols, k=k, dtype=_dtype("tri", dtype))
    return Constant(made, name=name)


@register
def arange(
    start: Any, /, stop: Any = None, step: Any = 1, dtype: Any = None, *, device: Any = None,
    name: str | None = None,
) -> Node:  # fmt: skip
    """start, start + step, … up to but without `stop`; arange(n) counts from 0 to n − 1.

    Integers make int64, floats the default float, computed in double precision. The number of
    elements must be known, so bounds that are nodes are read: they have no derivative.
    """
    check_device("arange", device)
    first, last = (0, start) if stop is None else (start, stop)
    bounds = [_number("arange", x) for x in (first, last, 1 if step is None else step)]
    if not bounds[2]:
        raise ArgumentError("arange: the step is 0, and the numbers never reach the end.",
                            hint="Write pg.full(n, start) for one number n times.")  # fmt: skip
    made = np.arange(*bounds)
    given = all(type(x) in (bool, int, float) for x in bounds)
    otherwise = default_dtype() if given and is_inexact(made.dtype) else made.dtype
    return Constant(_in(made, _dtype("arange", dtype, otherwise)), name=name)


def _in(array: Any, dtype: DType) -> Any:
    """`array` in `dtype`; floats are truncated to integers. Integers that don't fit are refused."""
    if is_integer(array.dtype) and is_integer(dtype) and array.size:
        for end in (int(array.min()), int(array.max())):
            if not np.iinfo(dtype).min <= end <= np.iinfo(dtype).max:
                raise DTypeError(f"{end} doesn't fit {dtype}", hint="Take a wider dtype.")
    return array if array.dtype == dtype else array.astype(dtype)


def _number(name: str, value: Any) -> Any:
    """A bound as a number. A node that isn't known raises its own error."""
    if isinstance(value, Node):
        value = value.numpy()
    if np.ndim(value) or not isinstance(value, (int, float, np.number, np.ndarray)):
        raise ArgumentError(f"{name}: {shown(value)} is no number.",
                            hint=f"Write pg.{name}(0, 10, 2).")  # fmt: skip
    return value[()] if isinstance(value, np.ndarray) else value


@register
def linspace(
    start: Any, stop: Any, /, num: int = 50, endpoint: bool = True, retstep: bool = False,
    dtype: Any = None, axis: int = 0, *, device: Any = None, name: str | None = None,
) -> Any:  # fmt: skip
    """`num` evenly spaced numbers from `start` to `stop`, without `stop` if `endpoint` is false.

    start and stop may be arrays, which broadcast; the numbers then lie along `axis`. They may be
    nodes: y = start·(1 − w) + stop·w with weights w, so derivatives reach both. With `retstep` the
    result is (numbers, step).
    """
    check_device("linspace", device)
    count = whole("linspace: num", num, like=50)
    if not isinstance(start, Node) and not isinstance(stop, Node):
        made, step = np.linspace(start, stop, count, endpoint=endpoint, retstep=True, axis=axis)
        otherwise = align((start, stop), promotes=True, floats=True)[0].dtype
        wanted = _dtype("linspace", dtype, otherwise)
        made = np.floor(made) if is_integer(wanted) else made  # as in NumPy: not towards 0
        numbers = Constant(_in(made, wanted), name=name)
        return (numbers, tensor(step, dtype=otherwise)) if retstep else numbers
    first, last = align((start, stop), promotes=True, floats=True)
    parts = max(count - 1 if endpoint else count, 1)
    weights = np.arange(count) / parts
    rank = max(first.ndim or 0, last.ndim or 0)
    along = weights.reshape((-1,) + (1,) * rank)
    if first.dtype is None or last.dtype is None:  # that of a feed: integers leave it as it is
        k = Constant(np.arange(count).reshape(along.shape))
        numbers = (first * (parts - k) + last * k) / parts
    else:
        w = Constant(along, dtype=first.dtype)
        numbers = ops.add(first * (1 - w), last * w)  # start and stop are met exactly
    if rank and axis != 0:
        order = [at + 1 for at in range(rank)]
        order.insert(axis if axis >= 0 else rank + 1 + axis, 0)
        numbers = ops.permute_dims(numbers, order)
    if dtype is not None and is_integer(as_dtype(dtype)):
        numbers = ops.floor(numbers)
    numbers = _finished(numbers, "linspace", dtype, name)
    return (numbers, (last - first) / parts) if retstep else numbers


@register
def logspace(
    start: Any, stop: Any, /, num: int = 50, endpoint: bool = True, base: Any = 10.0,
    dtype: Any = None, axis: int = 0, *, name: str | None = None,
) -> Node:  # fmt: skip
    """base**x for `num` evenly spaced exponents x from `start` to `stop`."""
    if not any(isinstance(x, Node) for x in (start, stop, base)):
        otherwise = align((start, stop, base), promotes=True, floats=True)[0].dtype
        made = np.logspace(start, stop, num, endpoint, base, axis=axis)
        return Constant(_in(made, _dtype("logspace", dtype, otherwise)), name=name)
    exponents = linspace(start, stop, num, endpoint, axis=axis)
    return _finished(ops.pow(base, exponents), "logspace", dtype, name)


@register
def geomspace(
    start: Any, stop: Any, /, num: int = 50, endpoint: bool = True, dtype: Any = None,
    axis: int = 0, *, name: str | None = None,
) -> Node:  # fmt: skip
    """`num` numbers from `start` to `stop`, of one sign, each the same multiple of the last."""
    if not isinstance(start, Node) and not isinstance(stop, Node):
        otherwise = align((start, stop), promotes=True, floats=True)[0].dtype
        made = np.geomspace(start, stop, num, endpoint, axis=axis)
        return Constant(_in(made, _dtype("geomspace", dtype, otherwise)), name=name)
    first, last = align((start, stop), promotes=True, floats=True)
    sign = ops.sign(first)
    exponents = linspace(ops.log(sign * first), ops.log(sign * last), num, endpoint, axis=axis)
    return _finished(sign * ops.exp(exponents), "geomspace", dtype, name)


def _finished(made: Any, kind: str, dtype: Any, name: str | None) -> Node:
    made = made if dtype is None else ops.cast(made, _dtype(kind, dtype))
    return made if name is None else ops.positive(made, name=name)


@register
def meshgrid(*xs: Any, indexing: str = "xy", sparse: bool = False, copy: bool = True) -> list[Node]:
    """The coordinates of a grid: for each vector an array of the grid's shape.

    indexing: "xy" puts the first vector along axis 1, "ij" along axis 0. With `sparse` the arrays
    have size 1 on the other axes. `copy` has no effect: values don't change.
    """
    one_of("meshgrid: indexing", indexing, ("xy", "ij"))
    rank = len(xs)
    places = list(range(rank))
    if indexing == "xy" and rank > 1:
        places[:2] = [1, 0]
    lines = [
        ops.reshape(x, (1,) * place + (-1,) + (1,) * (rank - 1 - place))
        for x, place in zip(xs, places, strict=True)
    ]
    return lines if sparse else ops.broadcast_arrays(*lines)


@register
def indices(
    dimensions: Sequence[int], dtype: Any = None, sparse: bool = False, *, name: str | None = None
) -> Any:
    """The index of each element along each axis: (rank, *dimensions), as int64; with `sparse` a
    tuple of arrays that broadcast."""
    shape, kind = _shape("indices", dimensions), _dtype("indices", dtype, np.dtype(np.int64))
    made = np.indices(shape, kind, sparse=bool(sparse))
    if isinstance(made, tuple):
        return tuple(Constant(part) for part in made)
    return Constant(made, name=name)


@register
def astype(
    x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None, name: str | None = None
) -> Node:
    """y = x in another dtype, as by `cast`. `copy` has no effect: values don't change."""
    check_device("astype", device)
    return ops.cast(x, dtype, name=name)
