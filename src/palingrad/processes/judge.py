"""Decides whether a process of a group has died or hangs, from what each tells of itself.

Each process counts what it does together with the others: runs of programs that compute across all,
and agreements. While the counts are equal nobody waits for anybody. A process whose count stays
behind keeps the others waiting; if it doesn't move for `patience` seconds it hangs, unless it has
said that it is busy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .wire import Message

PATIENCE = 20.0  # seconds
BUSY = 30  # so many times the patience for what a process has announced


@dataclass
class Watched:
    """What is known of a process: when it was last heard, its count, and when that has changed."""

    index: int
    where: str  # its host and process id
    heard: float
    moved: float
    count: int = 0
    label: str = "the start"
    busy: str = ""
    ended: bool = False

    @property
    def name(self) -> str:
        """The process in an error."""
        return f"process {self.index} ({self.where})"


class Judge:
    """What all processes tell, and the verdict on them."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience
        self.known: dict[int, Watched] = {}

    def joins(self, index: int, where: str, now: float) -> None:
        """A process is there."""
        self.known[index] = Watched(index, where, now, now)

    def hears(self, index: int, message: Message, now: float) -> None:
        """A process tells its count, or that it has ended."""
        one = self.known[index]
        one.heard = now
        one.ended = one.ended or "bye" in message
        count, label, busy = message.get("at") or (one.count, one.label, one.busy)
        if (count, busy) != (one.count, one.busy):
            one.moved = now
        one.count, one.label, one.busy = int(count), str(label), str(busy)

    def verdict(self, now: float) -> str | None:
        """What is wrong, in words that name the process; None if nothing is."""
        here = [one for one in self.known.values() if not one.ended]
        silent = [one for one in here if now - one.heard > self.patience]
        if silent:
            return (
                f"{_listed(silent)} gave no sign of life for {self.patience:.0f} s: it was "
                "stopped, or its host or the network is down"
            )
        return self._apart() or self._behind(now)

    def _apart(self) -> str | None:
        """Processes that wait for each other at different places of the program."""
        count = max((one.count for one in self.known.values()), default=0)
        first = [one for _, one in sorted(self.known.items()) if one.count == count]
        for one in first[1:]:
            if one.label != first[0].label:
                return (
                    f"the processes do different things: {first[0].name} is at "
                    f"{first[0].label}, {one.name} at {one.label}"
                )
        return None

    def _behind(self, now: float) -> str | None:
        """A process for which the others have waited for too long."""
        count = max((one.count for one in self.known.values()), default=0)
        ahead = [one for one in self.known.values() if one.count == count]
        since = min((one.moved for one in ahead), default=now)
        for one in self.known.values():
            if one.count == count:
                continue
            wait = f"{ahead[0].name} waits for it at {ahead[0].label}"
            if one.ended:
                return f"{one.name} has ended, but {wait}"
            limit = self.patience * (BUSY if one.busy else 1)
            if now - max(since, one.moved) > limit:
                doing = f"busy with {one.busy}" if one.busy else f"last at {one.label}"
                return f"{one.name} hangs: {wait}, for {limit:.0f} s; it was {doing}"
        return None


def _listed(some: Sequence[Watched]) -> str:
    names = [one.name for one in some]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
