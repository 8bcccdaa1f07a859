"""What an operation's integers must be for a run not to fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..node import Node


class Bounds(NamedTuple):
    """Every element of the integers x is in low … high − 1; without `high`, from `low` on.

    `error` makes what is raised otherwise, from the least and the largest of them.
    """

    x: Node
    low: int
    high: int | None
    error: Callable[[int, int], Exception]

    def allow(self, least: int, most: int) -> bool:
        """Whether integers from least to most are in the bounds."""
        return self.low <= least and (self.high is None or most < self.high)
