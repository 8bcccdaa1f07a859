"""Shapes: tuples of sizes, with None for an unknown size. A shape of unknown rank is None.

The functions raise only the fact; the calling operation adds its name, inputs and origin.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import index
from typing import Any

from .errors import OutOfRangeError, ShapeError

Dim = int | None
Shape = tuple[Dim, ...]


def known(shape: Shape | None) -> bool:
    """Whether the rank and every size are known."""
    return shape is not None and None not in shape


def text(shape: Any) -> str:
    """A shape for messages: (2, ?) if a size is unknown, ? if the rank is unknown."""
    if shape is None:
        return "?"
    inner = ", ".join("?" if dim is None else str(dim) for dim in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def as_shape(shape: Any) -> Shape:
    """An int or a sequence of ints and Nones as a shape."""
    given = shape if isinstance(shape, (tuple, list)) else (shape,)
    try:
        result = tuple(None if size is None else index(size) for size in given)
    except TypeError:
        raise ShapeError(f"expected a shape such as (2, 3), got {shape!r}") from None
    if any(size is not None and size < 0 for size in result):
        raise ShapeError(
            f"a size can't be negative: {shape!r}.",
            hint="None stands for an unknown size in pg.placeholder((None, 3)); only reshape takes "
            "-1.",
        )
    return result


def sizes(shape: Shape | None) -> tuple[int, ...]:
    """The sizes of a known shape, as integers."""
    assert shape is not None
    assert None not in shape, f"shape {shape} should be known by now"
    return tuple(shape)  # pyright: ignore[reportReturnType]


def size(shape: Shape | None) -> int:
    """The number of elements of a known shape."""
    return math.prod(sizes(shape))


def broadcast_dim(a: Dim, b: Dim) -> Dim:
    """The size that two sizes on one axis broadcast to."""
    if a == b or b == 1:
        return a
    if a == 1:
        return b
    if a is None or b is None:  # the unknown size is 1 or equals the known size
        return a if b is None else b
    raise ShapeError(f"sizes {a} and {b} don't broadcast")


def broadcast(*shapes: Shape) -> Shape:
    """The shape that all these broadcast to, by NumPy's rule."""
    if shapes and shapes.count(shapes[0]) == len(shapes):  # nearly always
        return tuple(shapes[0])
    return _broadcast(shapes)


@lru_cache(1024)
def _broadcast(shapes: tuple[Shape, ...]) -> Shape:
    result: list[Dim] = []
    for shape in shapes:
        missing = len(shape) - len(result)
        result[:0] = [1] * missing
        offset = len(result) - len(shape)
        for axis, dim in enumerate(shape):
            result[offset + axis] = broadcast_dim(result[offset + axis], dim)
    return tuple(result)


def same(a: Dim, b: Dim) -> bool:
    """Whether two sizes can be equal; an unknown one always can."""
    return a is None or b is None or a == b


def axis_in(axis: Any, ndim: int) -> int:
    """`axis` of an array with `ndim` axes, as a non-negative number."""
    try:
        number = None if isinstance(axis, bool) else index(axis)
    except TypeError:
        number = None
    if number is None:
        raise ShapeError(f"expected an integer axis, got {axis!r}")
    if not -ndim <= number < ndim:
        hint = f"The last axis is axis={ndim - 1}, or axis=-1." if ndim else ""
        raise OutOfRangeError(f"axis {number} is out of range for {ndim} axes", hint=hint)
    return number % ndim


def axes_in(axis: Any, ndim: int) -> tuple[int, ...]:
    """`axis` (None for all, an int, or several) as sorted non-negative axes."""
    if axis is None:
        return tuple(range(ndim))
    numbers = axis if isinstance(axis, (tuple, list)) else (axis,)
    result = tuple(sorted(axis_in(number, ndim) for number in numbers))
    if len(set(result)) != len(result):
        raise ShapeError(f"axes {tuple(numbers)} name an axis twice")
    return result


def reduced(shape: Shape, axes: Iterable[int], keepdims: bool) -> Shape:
    """The shape after a reduction over `axes`, which are removed, or of size 1 with `keepdims`."""
    removed = set(axes)
    if keepdims:
        return tuple(1 if axis in removed else dim for axis, dim in enumerate(shape))
    return tuple(dim for axis, dim in enumerate(shape) if axis not in removed)


def reshaped(shape: Shape, target: Sequence[int]) -> Shape:
    """`target` with its -1, if any, replaced by the size that keeps the number of elements."""
    if list(target).count(-1) > 1 or any(size < -1 for size in target):
        raise ShapeError(f"shape {tuple(target)} may hold one -1 and no other negative size")
    if not known(shape):
        return tuple(None if size == -1 else size for size in target)
    rest = math.prod(dim for dim in target if dim != -1)
    total = size(shape)
    if -1 in target and rest and total % rest == 0:
        return tuple(total // rest if dim == -1 else dim for dim in target)
    if -1 in target or rest != total:
        fits = [at for at, dim in enumerate(target) if total and rest and dim != -1]
        fits = [at for at in fits if total % (rest // target[at]) == 0]
        inferred = tuple(-1 if at in fits[:1] else dim for at, dim in enumerate(target))
        hint = f"A size of -1 is inferred: {inferred}." if fits and -1 not in target else ""
        raise ShapeError(f"{total} elements don't fit shape {tuple(target)}", hint=hint)
    return tuple(target)


def sliced(shape: Shape, index: tuple[Any, ...]) -> Shape:
    """The shape of x[index] for an x of `shape`."""
    named = sum(part is not None and part is not Ellipsis for part in index)
    if named > len(shape):
        raise OutOfRangeError(f"{named} indices for {len(shape)} axes")
    if index.count(Ellipsis) > 1:
        raise OutOfRangeError("an index may have one ..., not several")
    if Ellipsis not in index:
        index = (*index, Ellipsis)
    place = index.index(Ellipsis)
    fill = (slice(None),) * (len(shape) - named)
    sizes = iter(shape)
    result: list[int | None] = []
    for part in (*index[:place], *fill, *index[place + 1 :]):
        if part is None:
            result.append(1)
            continue
        dim = next(sizes)
        if isinstance(part, slice):
            result.append(None if dim is None else len(range(*part.indices(dim))))
        elif dim is not None and not -dim <= part < dim:
            hint = f"The last is {dim - 1}, or -1." if dim else ""
            raise OutOfRangeError(f"index {part} is out of range for size {dim}", hint=hint)
    return tuple(result)
