"""The alignment of a stencil's nodes: when the loop computes which element of each.

The loop runs over times. It computes element j of a node at time j + offset, so that a node that
reads element j + shift of another one finds it computed: it needs offset ≥ other's offset + shift.
What is left over is the lag, for which the other's elements wait in registers. An offset is the
least one that the node's reads allow, so a chain of shifts in one direction has no lags.
"""

from __future__ import annotations

from collections.abc import Iterable

from .....graph.kinds import Elementwise, Layout
from .....graph.node import Node
from .....graph.operation import Operation
from .....graph.state.records import dataclass, field
from .....shapes import sizes
from ...llvm.strided_view import View, broadcast, filled
from ..formula import is_number
from ..kernel import Views

MOST_LAG = 16  # elements for which a value waits in registers
MOST_DEPTH = 128  # elements at most on which an element depends through lags
EDGE = 32  # elements at either end of the loop where nodes may begin and end


@dataclass(frozen=True)
class Read:
    """How a node reads an input: its elements `low` to `high` read those `shift` further on in the
    buffer of `base`, or all of them read the one at `shift`."""

    x: Node
    base: Node
    low: int
    high: int
    shift: int
    is_fixed: bool  # whether all read one element


def reads_of(node: Operation, views: Views) -> list[Read] | None:
    """The reads of an elementwise node, or of a layout that joins or pads arrays, without those of
    numbers. None for any other node, or if an array has several axes or its elements aren't next to
    each other."""
    shape = sizes(node.shape)
    if len(shape) != 1 or not shape[0]:
        return None
    found: list[Read] = []
    for x, low, view in _parts(node, views):
        if len(view.shape) != 1 or (view.shape[0] > 1 and view.strides[0] not in (0, 1)):
            return None
        length, is_fixed = view.shape[0], view.shape[0] > 1 and not view.strides[0]
        if length:
            shift = view.offset - (0 if is_fixed else low)
            found.append(Read(x, view.base, low, low + length, shift, is_fixed))
    return found or None


def _parts(node: Operation, views: Views) -> list[tuple[Node, int, View]]:
    """(input, the first element that reads it, the view of what it reads)."""
    if isinstance(node, Elementwise):
        shape = sizes(node.shape)
        return [(x, 0, broadcast(views[x], shape)) for x in node.inputs if not is_number(x)]
    places = filled(node) if isinstance(node, Layout) and node._shipped else None
    if places is None or not all(_is_run(place) for place in places):
        return []
    return [(x, place.offset, views[x]) for x, place in zip(node.inputs, places, strict=True)]


def _is_run(view: View) -> bool:
    return len(view.shape) == 1 and (view.shape[0] <= 1 or view.strides[0] == 1)


@dataclass(frozen=True)
class Placed:
    """A node's reads, the time of its first element, and how far back in time it depends on others
    through lags."""

    reads: tuple[Read, ...]
    offset: int
    depth: int
    length: int

    @property
    def end(self) -> int:
        """The time after its last element's."""
        return self.offset + self.length

    @property
    def main(self) -> Read | None:
        """The longest piece of a layout; None of an elementwise node."""
        whole = all(read.low == 0 and read.high == self.length for read in self.reads)
        return None if whole else max(self.reads, key=lambda read: read.high - read.low)


@dataclass(eq=False)
class Alignment:
    """The nodes of a stencil, placed one after another."""

    length: int
    placed: dict[Node, Placed] = field(default_factory=dict[Node, Placed])

    @classmethod
    def of(cls, nodes: Iterable[Operation], length: int, views: Views) -> Alignment | None:
        """The alignment of these nodes, inputs first; None if they are no stencil."""
        found = cls(length)
        for node in nodes:
            if not found.place(node, views):
                return None
        return found

    def copy(self) -> Alignment:
        """A copy, on which a trial can place nodes."""
        return Alignment(self.length, dict(self.placed))

    def place(self, node: Operation, views: Views) -> bool:
        """Adds a node; False, and nothing, if it doesn't fit."""
        reads = reads_of(node, views)
        if reads is None:
            return False
        inside = [read for read in reads if read.base in self.placed]
        if any(read.is_fixed for read in inside):
            return False
        length = sizes(node.shape)[0]
        if inside:
            offset = max(self.placed[read.base].offset + read.shift for read in inside)
        else:  # times are places in what it reads
            offset = max(0, *(read.shift for read in reads if not read.is_fixed), 0)
        lags = [offset - read.shift - self.placed[read.base].offset for read in inside]
        depth = max(
            (self.placed[read.base].depth + lag for read, lag in zip(inside, lags, strict=True)),
            default=0,
        )
        new = Placed(tuple(reads), offset, depth, length)
        if max(lags, default=0) > MOST_LAG or depth > MOST_DEPTH or not self._fits(new):
            return False
        self.placed[node] = new
        return True

    def lag(self, node: Placed, read: Read) -> int:
        """How much later the node reads an element than it is computed."""
        return node.offset - read.shift - self.placed[read.base].offset

    def _fits(self, new: Placed) -> bool:
        """Whether the node begins and ends, and the pieces of a layout meet, near the ends of the
        loop."""
        first, last = self._near(new.offset), self._near(new.end)
        if not (first and last):
            return False
        if (main := new.main) is None or new.length <= EDGE:
            return True
        low, high = self._near(new.offset + main.low), self._near(new.offset + main.high)
        return (low, high) == ("begin", "end")

    def _near(self, time: int) -> str:
        """Which end of the loop a time is near: "begin", "end" or ""."""
        if abs(time) <= EDGE:
            return "begin"
        return "end" if abs(time - self.length) <= EDGE else ""

    def is_short(self, node: Placed) -> bool:
        """Whether it is computed at one end of the loop only."""
        return self._near(node.offset) == self._near(node.end)

    def middle(self) -> tuple[int, int]:
        """The times from the first to the second, if it is larger, are those of the elements of all
        nodes that aren't short, and of the main pieces of layouts."""
        low, high = 0, self.length
        for one in self.placed.values():
            main = one.main
            if self.is_short(one):
                if self._near(one.offset) == "begin":
                    low = max(low, one.end)
                else:
                    high = min(high, one.offset)
            else:
                first, last = (main.low, main.high) if main else (0, one.length)
                low, high = max(low, one.offset + first), min(high, one.offset + last)
        return low, high

    def span(self) -> tuple[int, int]:
        """The times of the first and after the last element."""
        placed = self.placed.values()
        return min(one.offset for one in placed), max(one.end for one in placed)

    def depth(self) -> int:
        """How far back in time an element depends on others."""
        return max(one.depth for one in self.placed.values())
