"""Mini-batches, in an order determined by a seed and an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import index
from typing import Any

import numpy as np

from ..dtypes import Array, as_array
from ..errors import DTypeError, ShapeError
from ..messages.calls import public
from ..shapes import text
from .dataset import Split


def shuffled(count: int, seed: int, epoch: int = 0) -> Array:
    """The permutation of 0 … count − 1 (int64) determined by `seed` and `epoch`.

    The numbers are sorted by 64 random bits each. NumPy guarantees the bits of PCG64 (O'Neill 2014;
    NEP 19) but not `Generator.permutation`, so this order is the same in every version and on every
    platform. Raises DTypeError for a negative seed.
    """
    seed, epoch = _natural(seed, "seed"), _natural(epoch, "epoch")
    bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(epoch,)))
    return np.argsort(bits.random_raw(count), kind="stable").astype(np.int64, copy=False)


@public
def batches(
    data: Split | Sequence[Any],
    batch_size: int,
    *,
    seed: int | None = None,
    epoch: int = 0,
    drop_last: bool = False,
) -> Iterator[tuple[Array, ...]]:
    """Tuples of `batch_size` rows of each array, covering every row once.

    `data` is a Split, whose inputs (float32) and labels (int64) are used, or a tuple of arrays with
    equally many rows. Without a `seed` the rows keep their order and the batches are views; with
    one they are shuffled, differently in each `epoch`. If `batch_size` doesn't divide the number of
    rows, the last batch is smaller, or omitted with `drop_last`. Raises ShapeError at once for
    unsuitable arrays or sizes, DTypeError for a negative seed or epoch.

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
                f"batches: {count} rows are less than one batch of {size}, and drop_last omits it",
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
        index = rows if order is None else order[rows]
        yield tuple(array[index] for array in arrays)


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
        least = min((len(array) for array in arrays if array.ndim), default=0)
        raise ShapeError(
            f"batches: the arrays need equally many rows, got shapes {shapes}",
            hint=f"Cut them to one length: x[:{least}].",
        )
    return arrays


def _natural(value: Any, name: str, *, least: int = 0) -> int:
    try:
        number = index(value)
    except TypeError:
        number = least - 1
    if number < least:
        error = ShapeError if name == "batch_size" else DTypeError
        raise error(
            f"batches: {name} must be an integer ≥ {least}, got {value!r}",
            hint=f"Write {name}={64 if name == 'batch_size' else 0}.",
        )
    return number
