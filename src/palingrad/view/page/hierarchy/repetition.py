"""Repetition: runs of equal members in a sequence, the shortest period first."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

LONGEST = 96  # the longest period
LEAST = 3  # the least number of repetitions
COVERED = 6  # the least number of members of a run


def repeated(ids: Sequence[Hashable]) -> list[tuple[int, int, int]]:
    """Runs of equal blocks that don't overlap: (start, length of a block, number of blocks)."""
    numbers: dict[Hashable, int] = {}
    row: Any = np.array([numbers.setdefault(one, len(numbers)) for one in ids])
    free = np.ones(len(row), bool)
    runs: list[tuple[int, int, int]] = []
    for length in range(1, min(LONGEST, len(row) // LEAST) + 1):
        same = (row[:-length] == row[length:]) & free[:-length] & free[length:]
        ends = np.flatnonzero(np.diff(np.concatenate(([0], same.view(np.int8), [0]))))
        reached = 0
        for start, stop in zip(ends[::2].tolist(), ends[1::2].tolist(), strict=True):
            start = max(start, reached)
            count = (stop - start) // length + 1
            if count >= LEAST and count * length >= COVERED:
                runs.append((start, length, count))
                reached = start + count * length
                free[start:reached] = False
    return sorted(runs)
