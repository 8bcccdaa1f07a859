"""The schedule: kernels in stages. Kernels of one stage are independent; a stage waits for the one
before. What a kernel does is cut into chunks of about equal work, as many as its size asks for and
not as there are threads: so results don't depend on how many threads there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ....graph.kinds import Elementwise
from ....graph.node import Node
from ....graph.operation import MultipleOutputs
from ....passes.program import Program
from ....shapes import size, sizes
from ..kernels import windowed
from ..kernels.bounds_check import BoundsCheck
from ..kernels.conv.weight_gradient import ConvolveWeight
from ..kernels.copy import Copy
from ..kernels.elementwise import Loop, Unit
from ..kernels.formula import dtype_of, weight
from ..kernels.gather_scatter import Gather, Scatter
from ..kernels.gemm.blocked import LargeProduct
from ..kernels.gemm.dot import Dot
from ..kernels.gemm.problem import gemm_problem
from ..kernels.gemm.small import Product, is_dot, is_large
from ..kernels.gemm.split_k import SplitProduct, parts_of
from ..kernels.reduction import Reduction
from ..kernels.row import Rows
from ..kernels.slice_adjoint import SliceAdjoint
from ..llvm.strided_view import View
from ..llvm.target import host
from .concat_in_place import ConcatInPlace, place_pieces
from .fusion import Fusion, Group
from .in_place import Updates, updates_in_place

_CHUNK = 5000.0  # nanoseconds of work in a chunk, about
_MOST = 64  # chunks of a kernel
MAX_CHUNKS = 1024  # of a stage: what a work-stealing deque can count (runtime/work_stealing.py)
_ROW = 8.0  # nanoseconds that a pass over a row takes besides its elements
_SERIAL = 2500.0  # a stage of less work than this isn't worth another thread


@dataclass(eq=False)
class Fallback(Unit):
    """A node that generated code can't compute: NumPy does, between two native stretches."""

    def reads(self) -> list[Node]:
        return list(self.nodes[0].inputs)

    def items(self, views: dict[Node, View]) -> int:
        """One."""
        return 1


@dataclass(eq=False)
class Kernel:
    """A unit in its place: the stage, how many items it has and in how many chunks."""

    unit: Any
    stage: int
    items: int
    cost: float  # nanoseconds on one thread, estimated
    chunks: int = 1
    serial: bool = False  # whether the stage's kernels run one after another, on one thread


@dataclass(eq=False)
class Schedule:
    """Kernels, the stages they run in, and where every value lies."""

    kernels: list[Kernel] = field(default_factory=list[Kernel])
    stages: list[list[Kernel]] = field(default_factory=list[list[Kernel]])
    views: dict[Node, View] = field(default_factory=dict[Node, View])
    producer: dict[Node, Kernel] = field(default_factory=dict[Node, Kernel])
    shared: dict[Any, Any] = field(default_factory=dict[Any, Any])  # what several kernels read
    placed: dict[Any, int] = field(default_factory=dict[Any, int])  # the stage of what comes before
    updates: Updates | None = None  # how Variables are updated in place, None if they can't be
    trains: bool = False  # whether Variables are updated


def scheduled(program: Program) -> Schedule:
    """Cut `program` into kernels and put these in stages."""
    fusion = Fusion(program)
    units = {group: _unit(group, fusion.views) for group in fusion.groups}
    for group, unit in units.items():
        unit.inner = _inner(group, fusion.views)
    _keep(program, fusion, units)
    updates = updates_in_place(program, fusion, units)
    place_pieces(program, fusion, units, updates.alias if updates else ())
    schedule = Schedule(views=fusion.views, updates=updates, trains=bool(program.updates))
    done: dict[int, int] = {}
    for group in sorted(
        fusion.groups, key=lambda group: (group.dependencies.bit_count(), group.number)
    ):
        start = max((done[number] + 1 for number in _bits(group.dependencies)), default=0)
        done[group.number] = _put(schedule, units[group], start, fusion, done)
    _stage(schedule)
    return schedule


def _bits(mask: int) -> list[int]:
    found: list[int] = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def _unit(group: Group, views: dict[Node, View]) -> Any:
    """The kernel that a group becomes."""
    nodes = group.nodes
    if group.kind == "loop":
        if group.scalars:
            return Rows(nodes, shape=group.shape, scalars=group.scalars)
        return Loop(nodes, shape=group.shape)
    if group.kind == "product":
        f = gemm_problem(nodes[0], views)
        if is_dot(f):
            return Dot(nodes)
        if parts_of(f, dtype_of(nodes[0]).itemsize) > 1:
            return SplitProduct(nodes)
        return (LargeProduct if is_large(f) else Product)(nodes)
    if group.kind == "window":
        return windowed.unit(nodes)
    if group.check is not None:
        return BoundsCheck(check=group.check)
    return _UNITS[group.kind](nodes)


_UNITS: dict[str, Any] = {
    "fold": Reduction,
    "copy": Copy,
    "put": SliceAdjoint,
    "join": ConcatInPlace,
    "gather": Gather,
    "scatter": Scatter,
    "fallback": Fallback,
}


def _inner(group: Group, views: dict[Node, View]) -> dict[Node, Node]:
    """Moves of the group's own nodes that its nodes read."""
    found: dict[Node, Node] = {}
    for x in (x for node in group.nodes for x in node.inputs if x in views):
        base = views[x].base
        if x is not base and base in group.members:
            found[x] = base
    return found


def _keep(program: Program, fusion: Fusion, units: dict[Group, Any]) -> None:
    """Say of each unit which values somebody else reads."""
    views = fusion.views
    needed = {views[x].base for x in program.roots if x in views}
    for group, unit in units.items():
        for x in unit.needs():
            base = views[x].base if x in views else x
            if fusion.producer.get(base) is not group:
                needed.add(base)
    for group, unit in units.items():
        made = [node for node in unit.nodes if fusion.producer.get(node) is group]
        unit.live_out = [node for node in made if node in needed]
        if isinstance(unit, Product) and unit.needs_buffer(views):
            unit.live_out = [unit.node, *[node for node in unit.live_out if node is not unit.node]]


def _put(schedule: Schedule, unit: Any, start: int, fusion: Fusion, done: dict[int, int]) -> int:
    """Add the unit's kernels from stage `start` on; the stage in which the last one runs."""
    views = fusion.views

    def kernel(one: Any, stage: int, cost: float) -> Kernel:
        made = Kernel(one, stage, one.items(views), cost)
        schedule.kernels.append(made)
        return made

    for before in unit.before(views, schedule.shared) if hasattr(unit, "before") else ():
        if before not in schedule.placed:
            (source,) = before.reads()
            producer = fusion.producer.get(views[source].base)
            first = 0 if producer is None else done[producer.number] + 1
            schedule.placed[before] = kernel(before, first, cost_of(before, views)).stage
        start = max(start, schedule.placed[before] + 1)
    if isinstance(unit, ConcatInPlace) and unit.placed and not unit.copied():
        (node,) = unit.nodes
        pieces = [
            made for x, made in schedule.producer.items() if x in views and views[x].base is node
        ]
        schedule.producer[node] = max(pieces, key=lambda made: made.stage)
        return start - 1
    last = kernel(unit, start, cost_of(unit, views))
    if isinstance(unit, (Reduction, ConvolveWeight, SplitProduct)) and unit.workspace(views):
        start += 1
        after = unit.finish()
        last = kernel(after, start, cost_of(after, views))
    for node in unit.nodes:
        if isinstance(node, MultipleOutputs) or unit.is_live_out(node):
            schedule.producer[node] = last
    if isinstance(unit, Fallback):
        schedule.producer[unit.nodes[0]] = last
    return start


def cost_of(unit: Any, views: dict[Node, View]) -> float:
    """Nanoseconds on one thread, by a rule of thumb: only sizes count, never the clock."""
    if isinstance(unit, Product) and not isinstance(unit, SplitProduct):
        f = gemm_problem(unit.node, views)
        elements = f.work // max(f.depth, 1)
        return 0.008 * f.work + elements * _element(unit.nodes[1:], len(unit.reads()))
    if isinstance(unit, Fallback):
        return 0.0
    if hasattr(unit, "cost"):
        return unit.cost(views)
    if isinstance(unit, (Loop, Rows)):
        rows = 0.0
        if isinstance(unit, Rows):  # where each pass begins and ends
            rows = _ROW * size(unit.shape[:-1]) * (1 + max(unit.passes().values()))
        return rows + size(unit.shape) * _element(
            unit.nodes, len(unit.reads()) + len(unit.live_out)
        )
    x = unit.nodes[-1].inputs[0]
    return size(sizes(x.shape)) * _element(unit.nodes, len(unit.reads()))


def _element(nodes: list[Any], operands: int) -> float:
    """Nanoseconds for an element of elementwise nodes: for instructions and for memory."""
    sixteenth = host().lanes(4) / 16
    work = sum((weight(node) or 1) if isinstance(node, Elementwise) else 1 for node in nodes)
    return 0.005 * work / sixteenth + 0.03 * operands


def _stage(schedule: Schedule) -> None:
    """Group kernels by stage, and merge stages of so little work that one thread does them."""
    kernels = [kernel for kernel in schedule.kernels if kernel.items]
    count = max((kernel.stage for kernel in kernels), default=-1) + 1
    stages: list[list[Kernel]] = [[] for _ in range(count)]
    for kernel in kernels:
        stages[kernel.stage].append(kernel)
    merged: list[list[Kernel]] = []
    for stage in stages:
        if not stage:
            continue
        native = [one for one in stage if not isinstance(one.unit, Fallback)]
        slow = [one for one in stage if isinstance(one.unit, Fallback)]
        for first in range(0, len(native), MAX_CHUNKS):
            some = native[first : first + MAX_CHUNKS]
            serial = sum(one.cost for one in some) < _SERIAL
            for one in some:
                one.serial = serial
                one.chunks = 1 if serial else min(_chunks(one), max(MAX_CHUNKS // len(some), 1))
            if not serial:  # the longest chunks first, so that the last ones end together
                some.sort(key=lambda one: -one.cost / one.chunks)
            if serial and merged and merged[-1][0].serial:
                merged[-1].extend(some)
            else:
                merged.append(some)
        merged.extend([one] for one in slow)
    schedule.stages = merged
    for number, stage in enumerate(merged):
        for one in stage:
            one.stage = number


def _chunks(kernel: Kernel) -> int:
    if kernel.cost < _SERIAL:
        return 1
    wanted = max(round(kernel.cost / _CHUNK), 2)
    return min(wanted + wanted % 2, _MOST, kernel.items)


def is_serial(stage: list[Kernel]) -> bool:
    """Whether the kernels of the stage run one after another, on one thread."""
    return stage[0].serial
