"""Arrays one after another in one buffer.

What a kernel makes only to be joined lies in the joined buffer from the start, if all who read it
can read it there; what is left is copied.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from ....graph.node import Node
from ....passes.program import Program
from ....shapes import axis_in, size, sizes
from ..kernels.elementwise import Plan, Unit
from ..kernels.formula import dtype_of, lanes_for
from ..llvm.kernel_context import KernelContext
from ..llvm.loops import integer, read, write
from ..llvm.strided_view import View, whole
from .fusion import Fusion, Group

# Kernels that read a value with any steps.
_READERS = ("loop", "fold", "join", "copy", "put", "gather", "scatter", "look", "fallback")


@dataclass(eq=False)
class ConcatInPlace(Unit):
    """The node's inputs one after another; those numbered in `placed` lie there already."""

    placed: set[int] = field(default_factory=set[int])

    def copied(self) -> list[int]:
        """The numbers of the inputs that are copied."""
        shapes = [sizes(x.shape) for x in self.nodes[0].inputs]
        return [n for n, shape in enumerate(shapes) if n not in self.placed and 0 not in shape]

    def reads(self) -> list[Node]:
        return list(dict.fromkeys(self.nodes[0].inputs[number] for number in self.copied()))

    def needs(self) -> list[Node]:
        return list(self.nodes[0].inputs)

    def places(self) -> list[View]:
        """Where in the joined buffer each input lies."""
        node: Any = self.nodes[0]
        all_ = whole(node)
        axis = axis_in(node.axis, len(all_.shape))
        found: list[View] = []
        start = 0
        for x in node.inputs:
            found.append(View(node, sizes(x.shape), all_.strides, start * all_.strides[axis]))
            start += found[-1].shape[axis]
        return found

    def _plans(self, views: dict[Node, View]) -> list[Plan]:
        inputs, places = self.nodes[0].inputs, self.places()
        return [
            Plan(places[number].shape, [views[inputs[number]]], [places[number]])
            for number in self.copied()
        ]

    def items(self, views: dict[Node, View]) -> int:
        """Blocks or rows of all that is copied."""
        return sum(plan.items for plan in self._plans(views))

    def cost(self, views: dict[Node, View]) -> float:
        """Nanoseconds on one thread."""
        inputs = self.nodes[0].inputs
        return 0.2 * sum(size(sizes(inputs[number].shape)) for number in self.copied())

    def emit(self, context: KernelContext) -> None:
        """The code for items `frame.begin` to `frame.end`."""
        b, dtype = context.builder, dtype_of(self.nodes[0])
        first = 0
        for plan in self._plans(context.views):
            begin = context.larger(b.sub(context.begin, integer(first)), integer(0))
            end = context.smaller(b.sub(context.end, integer(first)), integer(plan.items))
            with b.if_then(b.icmp_signed("<", begin, end)):
                plan.run(context, begin, end, *_copying(context, plan, dtype))
            first += plan.items


def _copying(context: KernelContext, plan: Plan, dtype: Any) -> tuple[int, Any]:
    """(lanes, what to do with a row) for a plan of one operand read and one written."""
    b = context.builder
    source, target = (context.pointer(view.base) for view in plan.operands)
    lanes = lanes_for([dtype], plan.extents[-1])
    step, to = (steps[-1] for steps in plan.steps)

    def row(places: list[Any]) -> Any:
        def body(index: Any, active: int) -> None:
            there = b.add(places[0], b.mul(index, integer(step)))
            value = read(b, source, dtype, there, lanes, step, active)
            write(b, target, value, b.add(places[1], b.mul(index, integer(to))), to, active)

        return body

    return lanes, row


# ---------------------------------------------------------------- what needs no copy


def place_pieces(
    program: Program, fusion: Fusion, units: dict[Group, Any], updated: Collection[Node]
) -> None:
    """Let pieces lie in their joined buffer. `updated`: what is written over a Variable's value,
    which therefore can't be written in pieces."""
    views = fusion.views
    apart = {views[x].base for x in program.roots if x in views}
    readers: dict[Node, list[Group]] = {}
    shown: dict[Node, list[Node]] = {}
    for group, unit in units.items():
        for x in (x for x in unit.needs() if x in views):
            readers.setdefault(views[x].base, []).append(group)
    for node, view in views.items():
        shown.setdefault(view.base, []).append(node)
    for join in units.values():
        if not isinstance(join, ConcatInPlace) or join.nodes[0] in updated:
            continue
        for number, (x, place) in enumerate(zip(join.nodes[0].inputs, join.places(), strict=True)):
            base = views[x].base
            producer = fusion.producer.get(base)
            if base in apart or producer is None or not _writes_anywhere(producer, base):
                continue
            if all(_reads_anywhere(one) for one in readers[base]):
                if all(_is_all_of(views[one], views[base]) for one in shown[base]):
                    for one in shown[base]:
                        views[one] = _seen_at(place, views[one])
                    join.placed.add(number)


def _writes_anywhere(group: Group, node: Node) -> bool:
    """Whether the group's kernel writes this value of its with any steps."""
    if group.kind == "loop":
        return node not in group.scalars
    return group.kind in ("product", "window") and node is not group.nodes[0]


def _reads_anywhere(group: Group) -> bool:
    return group.kind in _READERS


def _is_all_of(view: View, base: View) -> bool:
    """Whether the view shows all of its base, at most with other axes of size 1."""
    return view.offset == 0 and _axes(view) == _axes(base)


def _axes(view: View) -> list[tuple[int, int]]:
    return [(n, step) for n, step in zip(view.shape, view.strides, strict=True) if n != 1]


def _seen_at(place: View, view: View) -> View:
    """The view with its elements at the place's, axis by axis but for those of size 1."""
    steps = iter(step for _, step in _axes(place))
    strides = tuple(0 if n == 1 else next(steps) for n in view.shape)
    return replace(view, base=place.base, strides=strides, offset=place.offset)
