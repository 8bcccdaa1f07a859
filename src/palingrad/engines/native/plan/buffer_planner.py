"""The memory plan: the offset of each intermediate value in one arena, from the live ranges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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
    placed: list[int] = []
    for number in sorted(range(len(listed)), key=lambda place: -listed[place].size):
        live_range = listed[number]
        size = _rounded(live_range.size)
        busy = sorted(
            (offsets[other], offsets[other] + _rounded(listed[other].size))
            for other in placed
            if listed[other].first <= live_range.last and live_range.first <= listed[other].last
        )
        offset = 0
        for start, stop in busy:
            if offset + size <= start:
                break
            offset = max(offset, stop)
        offsets[number] = offset
        placed.append(number)
    ends = [
        offset + _rounded(live_range.size)
        for offset, live_range in zip(offsets, listed, strict=True)
    ]
    return offsets, max(ends, default=0)


def _rounded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
