"""The memory plan: the offset of each intermediate value in one arena, from the live ranges."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ....graph.state.records import dataclass

_ALIGNMENT = 64  # a cache line, and the widest vector


@dataclass(frozen=True)
class LiveRange:
    """A value of `size` bytes that is needed from stage `first` to stage `last`."""

    first: int
    last: int
    size: int


def plan_buffers(live_ranges: Iterable[LiveRange]) -> tuple[list[int], int]:
    """An offset for each live range, and the size of the arena. Values whose live ranges overlap
    never share bytes.

    Greedy by size: the largest value first, each at the lowest offset free for its live range.
    """
    listed = list(live_ranges)
    offsets = [0] * len(listed)
    # The placed values by offset: first and last stage, first byte, end.
    placed = np.zeros((4, 0), np.int64)
    for number in sorted(range(len(listed)), key=lambda place: -listed[place].size):
        live_range = listed[number]
        size = _rounded(live_range.size)
        first, last, starts, stops = placed
        busy = (first <= live_range.last) & (live_range.first <= last)
        # Between the ends of all busy values before and the start of the next one, and after all.
        ends = np.maximum.accumulate(np.append(0, stops[busy]))
        free = ends[:-1] + size <= starts[busy]
        offset = int(ends[free.argmax()] if free.any() else ends[-1])
        offsets[number] = offset
        row = (live_range.first, live_range.last, offset, offset + size)
        placed = np.insert(placed, int(np.searchsorted(starts, offset)), row, axis=1)
    ends = [
        offset + _rounded(live_range.size)
        for offset, live_range in zip(offsets, listed, strict=True)
    ]
    return offsets, max(ends, default=0)


def _rounded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
