"""Control flow as a kernel: loops and branches whose regions are machine code of the same module.

A region is planned as a Program is: it has kernels, stages, and a table of pointers to its buffers.
The table, its arena and the carries of a loop are in the kernel's workspace, so that a repetition
allocates nothing. `control/` plans the regions, and emits the code that runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from ....dtypes import is_boolean
from ....graph.kinds import Elementwise, Layout
from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.operation import MultipleOutputs, Operation
from ....graph.regions.regional import Regional, Steps
from ....graph.state.lazy import lazy
from ....graph.state.records import dataclass
from ....shapes import size, sizes
from ..llvm.kernel_context import KernelContext
from ..llvm.strided_view import View, row_major
from ..llvm.values import supported
from .elementwise.kernel import ElementwiseKernel
from .family import KernelFamily
from .formula import dtype_of
from .kernel import Fused, Kernel, Views
from .stencil.kernel import Stencil

_LINE = 64  # bytes of a cache line
_BY_STEPS = "its steps are taken by one native call"
BRIEF = 5e6  # nanoseconds of a loop of which `native_loops.py` can't speed anything up
_STEP = 30.0  # nanoseconds that a kernel of a region takes besides its work, about
PATIENCE = 5e7  # nanoseconds of work, about, between two looks at whether a signal has come
_SIGNALS = tuple(
    f"python.{name}"
    for name in ("PyGILState_Ensure", "PyGILState_Release", "PyErr_CheckSignals", "PyErr_Fetch")
)


@dataclass(frozen=True, eq=False)
class RegionPlan:
    """A region as a Program with a schedule and a table of buffers. `results` are the slots of the
    results that it computes, by their numbers; `passed` are the numbers of the parameters that it
    hands on as its other results."""

    program: Any
    schedule: Any
    buffers: Any
    results: dict[int, int]
    passed: dict[int, int]

    @lazy
    def read(self) -> frozenset[Node]:
        """The parameters that it reads."""
        return frozenset(self.program.feeds).intersection(self.program.order)

    def reads(self, slot: int) -> bool:
        """Whether it reads its parameter of this number."""
        return self.program.feeds[slot] in self.read

    @property
    def kernels(self) -> list[Kernel]:
        """Its kernels."""
        return [one.kernel for one in self.schedule.kernels]

    @property
    def cost(self) -> float:
        """Nanoseconds of one run, estimated."""
        return sum(kernel.cost + _STEP for kernel in self.kernels)

    @property
    def may_fail(self) -> bool:
        """Whether a run can end with an error."""
        return bool(self.buffers.may_fail or self.buffers.checks)

    @property
    def is_serial(self) -> bool:
        """Whether one thread runs all of it."""
        return all(stage[0].serial for stage in self.schedule.stages)


# Plans the regions of a node; text that says why they can't be machine code of one module.
Planner = Callable[[Regional], "tuple[RegionPlan, ...] | str"]
_planners: list[Planner] = []


def plan_with(planner: Planner) -> None:
    """Register what plans regions; see `control/plan.py`."""
    _planners[:] = [planner]


def planned(node: Regional, *, inside: bool) -> tuple[RegionPlan, ...] | str:
    """The regions of a node as parts of the machine code of its Program, or why they can't be. The
    steps of a loop that isn't inside a region are taken by `native_loops.py`, unless they are so
    short that its preparations would take as long."""
    steps = None if inside else node.steps()
    if steps is not None and not _may_be_brief(node):
        return _BY_STEPS
    for dtype in (*node.dtype, *(x.dtype for x in node.inputs)):
        if not supported(dtype):
            return f"generated code doesn't support {dtype}"
    regions = _planners[0](node)
    if steps is not None and not isinstance(regions, str) and not _is_brief(steps, regions[0]):
        return _BY_STEPS
    return regions


def _may_be_brief(node: Regional) -> bool:
    """Whether a loop's body has nothing but elementwise operations and layouts."""
    (body,) = node.regions
    nodes = [x for x in body.order if isinstance(x, Operation)]
    return all(isinstance(x, (Elementwise, Layout)) for x in nodes)


def _is_brief(steps: Steps, body: RegionPlan) -> bool:
    """Whether the steps are short loops over elements."""
    kinds = all(isinstance(kernel, (ElementwiseKernel, Stencil)) for kernel in body.kernels)
    return kinds and steps.length > 0 and steps.length * body.cost < BRIEF


def family_of(node: Regional, views: Views, inside: bool) -> ControlFamily | None:
    """The family of control flow that machine code runs; None where Python does."""
    if any(isinstance(x, MultipleOutputs) or x not in views for x in node.inputs):
        return None
    regions = planned(node, inside=inside)
    if isinstance(regions, str):
        return None

    def kernel(fused: Fused, views: Views) -> Control:
        return Control.of(fused, views, regions)

    if lets_signals_in(node, regions):
        return LoopFamily(kernel)
    return FailingFamily(kernel) if may_fail(node, regions) else ControlFamily(kernel)


def carries_of(node: Regional) -> int:
    """The number of carries of a loop; 0 for a choice."""
    steps, repeats = node.steps(), node.repeats()
    return steps.carries if steps else repeats.carries if repeats else 0


def lets_signals_in(node: Regional, regions: Sequence[RegionPlan]) -> bool:
    """Whether signal handlers run during the node: in a loop that may be long."""
    steps = node.steps()
    if steps is not None and steps.length * regions[0].cost > PATIENCE:
        return True
    inner = [one for region in regions for one in region.kernels if isinstance(one, Control)]
    return node.repeats() is not None or any(one.lets_signals_in for one in inner)


def may_fail(node: Regional, regions: Sequence[RegionPlan]) -> bool:
    """Whether the node can end with an error."""
    wrong = node.chooses and not is_boolean(dtype_of(node.inputs[0]))
    return wrong or any(one.may_fail for one in regions) or lets_signals_in(node, regions)


class ControlFamily(KernelFamily):
    """An operation with regions, and its results."""


class FailingFamily(ControlFamily):
    """One that can make the run raise an error."""

    may_fail: ClassVar[bool] = True


class LoopFamily(FailingFamily):
    """One during which signal handlers run, and may raise an error."""

    lets_signals_in: ClassVar[bool] = True


class _Areas:
    """The places of a kernel's workspace."""

    def __init__(self) -> None:
        self.offsets: dict[Any, int] = {}
        self.size = 0

    def add(self, key: Any, count: int) -> None:
        """A place of `count` bytes."""
        self.offsets[key] = self.size
        self.size += -(-max(count, 1) // _LINE) * _LINE


@dataclass(frozen=True, eq=False)
class Control(Kernel):
    """An operation with regions, the first of the nodes; the others are its results.

    Places of the workspace: ("table", r), ("arena", r) and ("control", r) of region r; ("input", n)
    for a copy of input n; ("carry", n, half) for the two halves of carry n, one of which is read
    while the other is written; ("result", r, n) for a result that nobody reads.
    """

    label, description = "Control flow", "regions in machine code"
    has_own_segment: ClassVar[bool] = True

    regions: tuple[RegionPlan, ...]
    inputs: tuple[View, ...]
    offsets: Mapping[Any, int]
    bytes: int

    @classmethod
    def of(cls, fused: Fused, views: Views, regions: tuple[RegionPlan, ...]) -> Control:
        """The kernel of these nodes."""
        node: Any = fused.first
        inputs = tuple(views[x] for x in node.inputs)
        areas = _Areas()
        for r, region in enumerate(regions):
            areas.add(("table", r), 8 * (region.buffers.count + 2))
            areas.add(("arena", r), region.buffers.arena_bytes)
            areas.add(("control", r), region.buffers.control_bytes)
            for n in region.results:
                y = node.regions[r].results[n]
                areas.add(("result", r, n), size(y.shape) * dtype_of(y).itemsize)
        for n, x in enumerate(inputs):
            if not is_contiguous(x):
                areas.add(("input", n), size(x.shape) * dtype_of(x.base).itemsize)
        for n in range(carries_of(node)):
            for half in range(2):
                areas.add(("carry", n, half), size(node.shape[n]) * node.dtype[n].itemsize)
        return cls(fused, regions, inputs, areas.offsets, areas.size)

    @property
    def node(self) -> Any:
        """The operation."""
        return self.fused.first

    @property
    def outputs(self) -> dict[int, Node]:
        """The results that are needed, by their numbers."""
        return {y.attributes["index"]: y for y in self.live_out}

    @property
    def may_fail(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether it can make the run raise an error."""
        return may_fail(self.node, self.regions)

    @property
    def lets_signals_in(self) -> bool:
        """Whether signal handlers run during it."""
        return lets_signals_in(self.node, self.regions)

    @property
    def is_serial(self) -> bool:
        """Whether one thread runs all of it."""
        return all(region.is_serial for region in self.regions)

    def reads(self) -> tuple[Node, ...]:
        return self.node.inputs

    @property
    def constants(self) -> tuple[Node, ...]:
        own = [x for x in self.node.inputs if isinstance(x, Constant)]
        inner = [x for region in self.regions for x in region.buffers.constants]
        return tuple(dict.fromkeys([*own, *inner]))

    @property
    def items(self) -> int:
        """One."""
        return 1

    @property
    def cost(self) -> float:
        cost = sum(region.cost for region in self.regions)
        return (cost / len(self.regions) if self.node.chooses else cost) * self.node.iterations()

    @property
    def workspace(self) -> int:
        return self.bytes

    @property
    def workspaces(self) -> tuple[Kernel, ...]:
        """None: it alone reads its own."""
        return ()

    @property
    def functions(self) -> tuple[str, ...]:
        inner = [name for region in self.regions for one in region.kernels
                 for name in one.functions]  # fmt: skip
        return (*inner, *(_SIGNALS if self.lets_signals_in else ()))

    def emit(self, context: KernelContext) -> None:
        raise AssertionError("control/emit.py emits this kernel")

    def space(self) -> str:
        return ""


def is_contiguous(view: View) -> bool:
    """Whether the elements are next to each other in row-major order."""
    return view.strides == row_major(view.shape)


def bytes_before(view: View) -> int:
    """The bytes of the buffer before the view's first element."""
    return view.offset * dtype_of(view.base).itemsize if size(sizes(view.shape)) else 0
