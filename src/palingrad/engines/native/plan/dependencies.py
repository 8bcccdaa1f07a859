"""Dependencies between groups: for each group a bit mask over group numbers."""

from __future__ import annotations

from collections.abc import Iterable


class Dependencies:
    """The transitive closure of "must run after", kept up to date while edges are added.

    Group n's mask has bit m set if n must run after m, directly or through others.
    """

    def __init__(self) -> None:
        self.masks: list[int] = []
        self.awaited = 0  # the groups that others wait for, as a bit mask
        self._crossing: dict[int, None] = {}  # groups that wait for one with a larger number

    def new(self) -> int:
        """The number of one more group, which waits for nothing."""
        self.masks.append(0)
        return len(self.masks) - 1

    def copy(self) -> Dependencies:
        """A copy, on which a trial can add dependencies."""
        other = Dependencies()
        other.masks, other._crossing = [*self.masks], dict(self._crossing)
        other.awaited = self.awaited
        return other

    def waits(self, number: int, other: int) -> bool:
        """Whether a group must run after the other one."""
        return bool(self.masks[number] >> other & 1)

    def of(self, number: int) -> list[int]:
        """The groups that this one waits for."""
        mask, found = self.masks[number], list[int]()
        while mask:
            low = mask & -mask
            found.append(low.bit_length() - 1)
            mask ^= low
        return found

    def in_order(self) -> list[int]:
        """All groups, each after those that it waits for."""
        return sorted(range(len(self.masks)), key=lambda n: (self.masks[n].bit_count(), n))

    def permits(self, number: int, others: Iterable[int]) -> bool:
        """Whether the group can run after these: none of them is the group or waits for it."""
        return not any(other == number or self.waits(other, number) for other in others)

    def add(self, number: int, others: Iterable[int]) -> None:
        """Adds the dependencies of the group on `others`, which `permits` must allow."""
        masks, more = self.masks, self.masks[number]
        for other in others:
            more |= masks[other] | 1 << other
            self.awaited |= 1 << other
        if more == masks[number]:
            return
        masks[number] = more
        if more >> number:
            self._crossing[number] = None
        # A group that waits for this one has a larger number, or is in `_crossing`.
        for other in (*self._crossing, *range(number + 1, len(masks))):
            if masks[other] >> number & 1:
                masks[other] |= more
                if masks[other] >> other:
                    self._crossing[other] = None
