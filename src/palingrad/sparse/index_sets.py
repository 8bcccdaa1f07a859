"""Sets of indices of inputs, numbered, and the unions of arrays of such numbers.

An array of set numbers says on which elements of the input each element of a node depends. All
sets are kept once, in one table, and operations work on arrays of their numbers: a node whose
elements depend on everything costs one set and an array that repeats its number.
"""

from __future__ import annotations

import math

import numpy as np

from ..dtypes import Array
from ..errors import GradientError

EMPTY = 0  # the number of the empty set
BUDGET = 30_000_000  # entries of all sets together: 120 MB, and some 700 MB for a while


class IndexSets:
    """Sets of the integers 0 … size − 1, each with a number; set 0 is empty.

    The elements of set k are `items[starts[k] : starts[k + 1]]`, in increasing order.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.count = size + 1
        self._used = size
        self._items = np.arange(size, dtype=np.int32)
        self._starts = np.concatenate(([0], np.arange(size + 1)))
        self._unions: dict[int, int] = {}  # the number of a ∪ b by a · 2³² + b, where a < b

    def identity(self, shape: tuple[int, ...]) -> Array:
        """The numbers of the sets {0}, {1}, …, in an array of this shape."""
        return np.arange(1, self.size + 1).reshape(shape)

    def union(self, a: Array, b: Array) -> Array:
        """The numbers of a ∪ b, elementwise after broadcasting."""
        if a is b:
            return a
        a, b = np.broadcast_arrays(a, b)
        low, high = np.minimum(a, b), np.maximum(a, b)
        pending = (low != EMPTY) & (low != high)
        if not pending.any():
            return high
        keys, inverse = np.unique(low[pending] << 32 | high[pending], return_inverse=True)
        result = np.array(high)
        result[pending] = self._union_of(keys)[inverse]
        return result

    def union_along(self, ids: Array, axes: tuple[int, ...], *, keepdims: bool = False) -> Array:
        """The unions over these axes."""
        rest = [axis for axis in range(ids.ndim) if axis not in axes]
        kept = [ids.shape[axis] for axis in rest]
        length = math.prod(ids.shape[axis] for axis in axes)
        flat = np.transpose(ids, (*rest, *axes)).reshape(*kept, length)  # (…, elements)
        if flat.shape[-1] == 0:
            total = np.zeros(kept, np.int64)
        else:
            while (length := flat.shape[-1]) > 1:
                half = length // 2
                joined = self.union(flat[..., :half], flat[..., half : 2 * half])
                flat = np.concatenate((joined, flat[..., 2 * half :]), -1)
            total = np.asarray(flat[..., 0])
        return np.expand_dims(total, axes) if keepdims else total

    def running(self, ids: Array, axis: int, *, reverse: bool) -> Array:
        """The unions of all elements up to each, along an axis; `reverse`: from each on."""
        total = np.moveaxis(ids, axis, -1)
        total = total[..., ::-1] if reverse else total
        step = 1
        while step < total.shape[-1]:
            joined = self.union(total[..., step:], total[..., :-step])
            total = np.concatenate((total[..., :step], joined), -1)
            step *= 2
        return np.moveaxis(total[..., ::-1] if reverse else total, -1, axis)

    def scatter(self, ids: Array, targets: Array, shape: tuple[int, ...]) -> Array:
        """The union, for each flat index of `shape`, of the sets whose target it is; a target of
        −1 drops a set."""
        ids, targets = np.broadcast_arrays(ids, targets)
        used = (ids.ravel() != EMPTY) & (targets.ravel() >= 0)
        at, sets = targets.ravel()[used], ids.ravel()[used]
        order = np.argsort(at, kind="stable")
        at, sets = at[order], sets[order]
        while at.size:
            rank = np.arange(at.size) - np.searchsorted(at, at)  # within the sets of one target
            if not rank.any():
                break
            even = np.flatnonzero(rank % 2 == 0)
            paired = even[(even + 1 < at.size) & (rank[np.minimum(even + 1, at.size - 1)] % 2 == 1)]
            sets[paired] = self.union(sets[paired], sets[paired + 1])
            at, sets = at[even], sets[even]
        result = np.zeros(int(np.prod(shape)), np.int64)
        result[at] = sets
        return result.reshape(shape)

    def rows(self, ids: Array) -> tuple[Array, Array]:
        """(starts, items) of these sets one after another: their indices as a CSR matrix's."""
        ids = ids.ravel()
        lengths = self._lengths(ids)
        starts = np.concatenate(([0], np.cumsum(lengths)))
        self._check_budget(int(starts[-1]))
        offsets = np.repeat(self._starts[ids] - starts[:-1], lengths)
        return starts, self._items[np.arange(starts[-1]) + offsets]

    def _lengths(self, ids: Array) -> Array:
        return self._starts[ids + 1] - self._starts[ids]

    def _union_of(self, keys: Array) -> Array:
        """The numbers of unions by their keys; a union that is new gets a number."""
        numbers = np.array([self._unions.get(key, -1) for key in keys.tolist()])
        new = numbers < 0
        if new.any():
            made = self._joined(keys[new] >> 32, keys[new] & 0xFFFFFFFF)
            self._unions.update(zip(keys[new].tolist(), made.tolist()))
            numbers[new] = made
        return numbers

    def _joined(self, a: Array, b: Array) -> Array:
        """The numbers of a ∪ b, computed; where one contains the other it is that one's."""
        starts_a, of_a = self.rows(a)
        starts_b, of_b = self.rows(b)
        row = np.arange(a.size)
        lengths = np.concatenate((np.diff(starts_a), np.diff(starts_b)))
        rows = np.repeat(np.concatenate((row, row)), lengths)
        keys = rows * np.int64(self.size) + np.concatenate((of_a, of_b))
        keys.sort()
        keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))]
        rows = keys // self.size
        lengths = np.bincount(rows, minlength=a.size)
        numbers = np.where(lengths == self._lengths(a), a, b)
        new = (lengths != self._lengths(a)) & (lengths != self._lengths(b))
        numbers[new] = self._added((keys % self.size)[new[rows]].astype(np.int32), lengths[new])
        return numbers

    def _added(self, items: Array, lengths: Array) -> Array:
        self._check_budget(self._used + items.size)
        if self._used + items.size > self._items.size:
            self._items = np.resize(self._items, 2 * (self._used + items.size))
        self._items[self._used : self._used + items.size] = items
        ends = self._used + np.cumsum(lengths)
        self._used += items.size
        numbers = np.arange(self.count, self.count + lengths.size)
        self.count += lengths.size
        self._starts = np.concatenate((self._starts, ends))
        return numbers

    def _check_budget(self, entries: int) -> None:
        if entries > BUDGET:
            raise GradientError(
                f"sparsity pattern: its sets of indices need {entries:,} entries, the budget is "
                f"{BUDGET:,}: the Jacobian is nearly dense.",
                hint="Use products with it, pg.jvp and pg.vjp, which never form it.",
            )
