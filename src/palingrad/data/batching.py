"""Mini-batches in an order that follows from a seed and an epoch alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import index
from typing import Any

import numpy as np

from ..dtypes import Array, as_array
from ..errors import DTypeError, ShapeError
from ..shapes import text
from .dataset import Split


def shuffled(count: int, seed: int, epoch: int = 0) -> Array:
    """The numbers 0 … count − 1 (int64) in the order that belongs to `seed` and `epoch`.

    Each number draws 64 random bits, and the numbers are sorted by them. NumPy promises PCG64's
    bits for good (O'Neill 2014; NEP 19), which it doesn't of `Generator.permutation`: so the order
    is the same with every version, on every platform. Raises DTypeError for a negative seed.
    """
    seed, epoch = _natural(seed, "seed"), _natural(epoch, "epoch")
    bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(epoch,)))
    return np.argsort(bits.random_raw(count), kind="stable").astype(np.int64, copy=False)


def batches(
    data: Split | Sequence[Any],
    batch_size: int,
    *,
    seed: int | None = None,
    epoch: int = 0,
    drop_last: bool = False,
) -> Iterator[tuple[Array, ...]]:
    """Tuples of `batch_size` rows of each array, until every row has come once.

    `data` is a Split, which gives its inputs (float32) and labels (int64), or a tuple of arrays
    with as many rows each. Without a `seed` the rows keep their order and nothing is copied; with
    one they are shuffled anew for each `epoch`. The last batch is smaller where the rows don't
    divide, or left out with `drop_last`. Raises ShapeError at once where the arrays or the size
    don't fit, DTypeError for a seed or an epoch below 0.

    >>> import numpy as np
    >>> for x, y in batches((np.arange(5), np.arange(5) ** 2), 2, seed=0, epoch=1):
    ...     print(x, y)
    [1 3] [1 9]
    [2 0] [4 0]
    [4] [16]
    """
    arrays = _arrays(data)
    count = len(arrays[0])
    size = _natural(batch_size, "batch_size", least=1)
    if drop_last:
        if count < size:
            raise ShapeError(
                f"batches: {count} rows make no batch of {size}, and drop_last leaves out the rest",
                hint="Take a smaller batch_size.",
            )
        count -= count % size
    order = None if seed is None else shuffled(len(arrays[0]), seed, epoch)
    return _cut(arrays, order, count, size)


def _cut(
    arrays: Sequence[Array], order: Array | None, count: int, size: int
) -> Iterator[tuple[Array, ...]]:
    for start in range(0, count, size):
        rows = slice(start, start + size)
        chosen = rows if order is None else order[rows]
        yield tuple(array[chosen] for array in arrays)


def _arrays(data: Split | Sequence[Any]) -> list[Array]:
    if isinstance(data, Split):
        return [data.inputs, data.labels]
    if not isinstance(data, (tuple, list)) or not data:
        raise ShapeError(
            f"batches: expected a split or a tuple of arrays, got {type(data).__name__}",
            hint="Put a single array into a tuple: batches((x,), 64).",
        )
    arrays = [as_array(array) for array in data]
    shapes = ", ".join(text(array.shape) for array in arrays)
    if any(array.ndim == 0 for array in arrays) or len({len(array) for array in arrays}) > 1:
        raise ShapeError(f"batches: the arrays need as many rows each, got shapes {shapes}")
    return arrays


def _natural(value: Any, name: str, *, least: int = 0) -> int:
    try:
        number = index(value)
    except TypeError:
        number = least - 1
    if number < least:
        error = ShapeError if name == "batch_size" else DTypeError
        raise error(f"batches: {name} is a whole number from {least} up, got {value!r}")
    return number
