"""The schedule: a Program cut into units, each one loop, product, reduction or fallback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...graph.kinds import Contract, Elementwise, Move, Reduce
from ...graph.leaves import Placeholder, Variable
from ...graph.node import Node
from ...graph.operation import MultipleOutputs, Operation
from ...passes.program import Program
from ...shapes import sizes
from . import elementwise, reduction
from .elementwise import Loop
from .product import Product
from .reduction import Reduction
from .values import supported
from .views import View, moved, whole


@dataclass(frozen=True)
class Copy:
    """A move that no view can express: the input's elements in row-major order."""

    node: Operation


@dataclass(frozen=True)
class Fallback:
    """A node that generated code can't compute: NumPy does, between two native stretches."""

    node: Operation


Unit = Loop | Product | Reduction | Copy | Fallback


@dataclass
class Schedule:
    """Units in the order they run, and where every value lies."""

    units: list[Unit]
    views: dict[Node, View]
    maker: dict[Node, int]  # which unit writes a node's buffer


def scheduled(program: Program) -> Schedule:
    """Cut `program` into units.

    An elementwise node joins the earliest loop of its shape that runs after everything it needs;
    so chains, and updates of one shape, share a loop.
    """
    schedule = Schedule([], {}, {})
    loops: dict[tuple[int, ...], list[int]] = {}
    for node in _late(program):
        if not isinstance(node, Operation):
            if not isinstance(node, (Placeholder, Variable)) or supported(node.dtype):
                schedule.views[node] = whole(node)
            continue
        if _is_native(node, schedule) and isinstance(node, Elementwise):
            _join(node, schedule, loops)
            continue
        view = _as_view(node, schedule)
        if view is not None:
            schedule.views[node] = view
            continue
        schedule.maker[node] = len(schedule.units)
        schedule.units.append(_unit(node, schedule))
        if not isinstance(node, MultipleOutputs):
            schedule.views[node] = whole(node)
    _keep(program, schedule)
    return schedule


def _late(program: Program) -> list[Node]:
    """The nodes, inputs first, each as late as it can be: so what is computed from Variables alone
    meets in one loop with what needs it, rather than waiting in memory."""
    order = program.order
    late = dict.fromkeys(order, 0)  # how many steps before the end the node is needed
    for node in reversed(order):
        for x in node.inputs:
            late[x] = max(late[x], late[node] + 1)
    return sorted(order, key=lambda node: -late[node])


def _is_native(node: Operation, schedule: Schedule) -> bool:
    """Whether generated code can read the inputs, hold the values and do the work."""
    if isinstance(node, MultipleOutputs) or not supported(node.dtype):
        return False
    if any(x not in schedule.views or not supported(x.dtype) for x in node.inputs):
        return False
    if isinstance(node, Elementwise):
        return elementwise.fits(node)
    if isinstance(node, Contract):
        return node.dtype is not None and node.dtype.kind == "f"
    return isinstance(node, Reduce) and reduction.fits(node)


def _as_view(node: Operation, schedule: Schedule) -> View | None:
    if not isinstance(node, Move) or len(node.inputs) != 1 or isinstance(node, MultipleOutputs):
        return None
    x = schedule.views.get(node.inputs[0])
    return None if x is None or not supported(node.dtype) else moved(node, x)


def _unit(node: Operation, schedule: Schedule) -> Unit:
    if _is_native(node, schedule):
        return Product(node) if isinstance(node, Contract) else Reduction(node)
    readable = len(node.inputs) == 1 and node.inputs[0] in schedule.views
    return Copy(node) if readable and _only_regroups(node) else Fallback(node)


def _only_regroups(node: Any) -> bool:
    """Whether the node's elements are the input's in the same order."""
    return type(node).__name__ in ("Reshape", "ExpandDims", "Squeeze") and supported(node.dtype)


def _join(node: Operation, schedule: Schedule, loops: dict[tuple[int, ...], list[int]]) -> None:
    shape = sizes(node.shape)
    earliest = 0
    for x in node.inputs:
        base = schedule.views[x].base
        made = schedule.maker.get(base)
        if made is not None:
            # Within one loop a value is read where it was computed, not through another view.
            direct = x is base and schedule.views[x].shape == shape
            joins = direct and isinstance(schedule.units[made], Loop)
            earliest = max(earliest, made if joins else made + 1)
    places = loops.setdefault(shape, [])
    for place in places:
        unit = schedule.units[place]
        if place >= earliest and isinstance(unit, Loop) and not unit.full:
            break
    else:
        place = len(schedule.units)
        schedule.units.append(Loop(shape))
        places.append(place)
    unit = schedule.units[place]
    assert isinstance(unit, Loop)
    unit.nodes.append(node)
    schedule.maker[node] = place
    schedule.views[node] = whole(node)


def _keep(program: Program, schedule: Schedule) -> None:
    """Mark the elementwise values that somebody outside their loop reads."""
    needed = {schedule.views[x].base for x in program.roots if x in schedule.views}
    for node in program.order:
        if not isinstance(node, Operation):
            continue
        place = schedule.maker.get(node)
        for x in node.inputs:
            if x not in schedule.views:
                continue
            base = schedule.views[x].base
            inside = place is not None and schedule.maker.get(base) == place
            if not inside and (place is not None or isinstance(node, MultipleOutputs)):
                needed.add(base)
    for unit in schedule.units:
        if isinstance(unit, Loop):
            unit.kept = [node for node in unit.nodes if node in needed]
