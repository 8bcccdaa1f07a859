"""Plans the regions of control flow: each is lowered and scheduled as a Program."""

from __future__ import annotations

from collections.abc import Mapping

from ....graph.node import Node
from ....graph.operation import Operation
from ....graph.regions.region import Region
from ....graph.regions.regional import Regional
from ....passes.program import Program
from ..kernels.control import RegionPlan
from ..llvm.strided_view import View
from ..native_loops import region_program
from ..plan.lower import lowered
from ..plan.schedule import scheduled
from ..runtime.buffers import BufferTable


def plan_of(node: Regional) -> tuple[RegionPlan, ...] | str:
    """The plans of a node's regions, or why they can't be parts of the machine code around it."""
    plans: list[RegionPlan] = []
    steps = node.steps()
    for region in node.regions:
        plan = _region(region, flushes=steps is not None and steps.reverse)
        if isinstance(plan, str):
            return plan
        plans.append(plan)
    return tuple(plans)


def _region(region: Region, *, flushes: bool) -> RegionPlan | str:
    places: dict[Node, int] = {x: n for n, x in enumerate(region.parameters)}
    passed = {n: places[y] for n, y in enumerate(region.results) if y in places}
    wanted = [n for n in range(len(region.results)) if n not in passed]
    part = Region(region.parameters, tuple(region.results[n] for n in wanted))
    program = lowered(region_program(part))
    schedule = scheduled(program, inside=True, flushes=flushes)
    for one in schedule.kernels:
        if not one.kernel.is_native:
            (node,) = one.kernel.nodes
            return f"NumPy computes {_label(node)}"
    buffers = BufferTable(program, schedule)
    slots = _slots(program, schedule.views, buffers)
    if slots is None:
        return "a result of a region isn't in an array of its own"
    return RegionPlan(program, schedule, buffers, dict(zip(wanted, slots, strict=True)), passed)


def _label(node: Operation) -> str:
    if isinstance(node, Regional):
        return f"a part of {node.label()}"
    return node.label()


def _slots(program: Program, views: Mapping[Node, View], buffers: BufferTable) -> list[int] | None:
    """The slot of each result; None if one isn't in an array of its own."""
    slots: list[int] = []
    for y in program.outputs:
        view = views.get(y)
        if view is None or not view.plain or not buffers.is_fresh(view.base):
            return None
        slots.append(buffers.place(view.base)[0])
    return slots if len(set(slots)) == len(slots) else None
