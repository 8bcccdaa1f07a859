"""Where elements lie: a shape, and the steps through memory that its axes take."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ...classes import NamedTuple
from ...dtypes import Array


class Strided(NamedTuple):
    """The element at an index lies at offset + Σ index·stride; all are counted in elements."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0

    @classmethod
    def contiguous(cls, shape: tuple[int, ...]) -> Strided:
        """An array of its own, in row-major order."""
        return cls(shape, row_major(shape))

    def addresses(self) -> Array:
        """Where each element lies."""
        found = np.full(self.shape, self.offset)
        for axis, (size, step) in enumerate(zip(self.shape, self.strides, strict=True)):
            rest = (1,) * (len(self.shape) - axis - 1)
            found += (np.arange(size) * step).reshape(size, *rest)
        return found

    def permuted(self, axes: tuple[int, ...]) -> Strided:
        """With the axes in the order `axes`."""
        shape, strides = (tuple(one[axis] for axis in axes) for one in (self.shape, self.strides))
        return Strided(shape, strides, self.offset)

    def broadcast(self, shape: tuple[int, ...]) -> Strided:
        """Repeated to `shape`: a step of 0 along what is repeated."""
        extra = len(shape) - len(self.shape)
        steps = [0] * extra
        for axis, step in enumerate(self.strides):
            steps.append(0 if self.shape[axis] == 1 != shape[axis + extra] else step)
        return Strided(shape, tuple(steps), self.offset)

    def reshaped(self, shape: tuple[int, ...]) -> Strided | None:
        """The same elements in row-major order in another shape, None where that takes a copy."""
        if self.strides == row_major(self.shape):
            return Strided(shape, row_major(shape), self.offset)
        old = [pair for pair in zip(self.shape, self.strides, strict=True) if pair[0] != 1]
        wanted = [size for size in shape if size != 1]
        if 0 in wanted:
            return Strided(shape, row_major(shape), self.offset)
        steps: list[int] = []
        while old:  # the fewest axes on either side that hold as many elements
            sources, targets = [old.pop(0)], [wanted.pop(0)]
            while (have := math.prod(size for size, _ in sources)) != (need := math.prod(targets)):
                if have < need:
                    sources.append(old.pop(0))
                else:
                    targets.append(wanted.pop(0))
            for (_, outer), (size, step) in itertools.pairwise(sources):
                if outer != size * step:
                    return None
            steps += [step * sources[-1][1] for step in row_major(tuple(targets))]
        found = iter(steps)
        strides = tuple(0 if size == 1 else next(found) for size in shape)
        return Strided(shape, strides, self.offset)

    def sliced(self, index: tuple[Any, ...]) -> Strided:
        """The part at a basic index, which fits: integers, slices, None and …."""
        named = sum(one is not None and one is not Ellipsis for one in index)
        if Ellipsis not in index:
            index = (*index, Ellipsis)
        place = index.index(Ellipsis)
        fill = (slice(None),) * (len(self.shape) - named)
        axes = iter(zip(self.shape, self.strides, strict=True))
        offset = self.offset
        shape: list[int] = []
        steps: list[int] = []
        for one in (*index[:place], *fill, *index[place + 1 :]):
            if one is None:
                shape.append(1)
                steps.append(0)
                continue
            size, step = next(axes)
            if isinstance(one, slice):
                start, stop, stride = one.indices(size)
                offset += start * step
                shape.append(len(range(start, stop, stride)))
                steps.append(stride * step)
            else:
                offset += one % size * step
        return Strided(tuple(shape), tuple(steps), offset if math.prod(shape) else 0)


def row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of a contiguous array."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
