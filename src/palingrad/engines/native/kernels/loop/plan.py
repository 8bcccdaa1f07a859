"""Plans of control flow in registers: loops and branches that are small enough, one in another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from .....dtypes import DType, is_boolean
from .....graph.node import Node
from .....graph.operation import Item, MultipleOutputs, Operation
from .....graph.regions.region import Region
from .....graph.regions.regional import Regional, Steps
from .....graph.state.records import dataclass
from .....passes.program import Program
from .....shapes import size, sizes
from ...llvm.values import supported
from ..formula import dtype_of
from .operations import fits, work
from .registers import Form, most_lanes

MOST = 12_000  # instructions of a function, about: 6 µs, within which threads gain nothing
_ELEMENTS = 1024  # of an array in registers
_BYTES = 1 << 20  # of the rows that inner loops keep in memory
_SECONDS = 1.0  # of what native code can't be interrupted in
_INSTRUCTION = 0.5e-9  # seconds of an instruction, about
_GUESS = 16  # repetitions of a while loop, for estimates

Lowering = Callable[[Region], Program]


@dataclass(frozen=True, eq=False)
class Straight:
    """A region as straight-line code. `inner` are the loops and branches in it."""

    program: Program
    inner: Mapping[Node, Flow]

    def is_row(self, x: Node) -> bool:
        """Whether the node is a stack of an inner loop, which is in memory."""
        if not isinstance(x, Item) or x.inputs[0] not in self.inner:
            return False
        steps = self.inner[x.inputs[0]].steps
        return steps is not None and x.attributes["index"] >= steps.carries


@dataclass(frozen=True, eq=False)
class Flow:
    """A loop or a branch whose regions are straight-line code."""

    node: Regional
    regions: tuple[Straight, ...]

    @property
    def steps(self) -> Steps | None:
        """How it takes its steps, if their number is known."""
        return self.node.steps()

    def all(self) -> Iterator[Flow]:
        """It, and all loops and branches in it."""
        yield self
        for region in self.regions:
            for flow in region.inner.values():
                yield from flow.all()

    @property
    def is_endless(self) -> bool:
        """Whether nothing bounds its time."""
        return any(flow.node.repeats() is not None for flow in self.all())


@dataclass(frozen=True, eq=False)
class RegistersPlan:
    """Control flow in registers. `rows` says where in the workspace an inner loop keeps the stack
    of result n, (node, "stack", n), and the rows of input n, (node, "rows", n)."""

    flow: Flow
    most: int  # lanes
    instructions: int  # of its code
    seconds: float  # of a run, about
    rows: Mapping[tuple[Node, str, int], int]
    bytes: int  # of the workspace

    def operations(self) -> list[Operation]:
        """The operations that its code computes."""
        programs = [region.program for flow in self.flow.all() for region in flow.regions]
        return [node for one in programs for node in one.order if isinstance(node, Operation)]


def plan_of(node: Regional, lower: Lowering) -> RegistersPlan | None:
    """The plan of a loop or branch; None if it doesn't fit into registers."""
    flow = _flow(node, lower)
    if flow is None:
        return None
    most = most_lanes(list(_dtypes(flow)))
    instructions = sum(_code(region, most) for one in flow.all() for region in one.regions)
    seconds = _seconds(flow, most)
    if instructions > MOST or not all(_is_short(one, most) for one in flow.all()):
        return None
    rows, total = _rows(flow)
    return (
        RegistersPlan(flow, most, instructions, seconds, rows, total) if total <= _BYTES else None
    )


def cost_of(straight: Straight, most: int) -> float:
    """Nanoseconds of a run of a region, about."""
    inner = sum(_seconds(flow, most) for flow in straight.inner.values())
    return 1e9 * (_INSTRUCTION * _code(straight, most) + inner)


# ---------------------------------------------------------------- what fits


def _flow(node: Regional, lower: Lowering) -> Flow | None:
    steps = node.steps()
    if steps is not None:
        if not steps.length:
            return None
    elif node.repeats() is None and not (node.chooses and is_boolean(node.inputs[0].dtype)):
        return None
    regions: list[Straight] = []
    for region in node.regions:
        if any(size(x.shape) > _ELEMENTS for x in region.parameters):
            return None
        straight = _straight(lower(region), lower)
        if straight is None:
            return None
        regions.append(straight)
    return Flow(node, tuple(regions))


def _straight(program: Program, lower: Lowering) -> Straight | None:
    inner: dict[Node, Flow] = {}
    straight = Straight(program, inner)
    # The cheap tests first: most bodies that don't fit have an operation that doesn't.
    operations = [x for x in program.order if isinstance(x, Operation)]
    if not all(
        isinstance(x, Regional) or (isinstance(x, Item) and isinstance(x.inputs[0], Regional))
        or fits(x)
        for x in operations
    ):  # fmt: skip
        return None
    for node in operations:
        if isinstance(node, Regional):
            flow = _flow(node, lower)
            if flow is None:
                return None
            inner[node] = flow
    for x in (*program.feeds, *program.order):
        if isinstance(x, MultipleOutputs):
            continue
        if not supported(x.dtype) or not size(x.shape):
            return None
        if size(x.shape) > _ELEMENTS and not straight.is_row(x):
            return None
    large = {x for x in program.order if straight.is_row(x) and size(x.shape) > _ELEMENTS}
    if large and not _only_sliced(large, straight):
        return None
    return straight


def _only_sliced(stacks: set[Node], straight: Straight) -> bool:
    """Whether these are read as rows of inner loops only."""
    if not stacks.isdisjoint(straight.program.outputs):
        return False
    for node in straight.program.order:
        whole = list(node.inputs)
        if node in straight.inner and (steps := straight.inner[node].steps) is not None:
            whole[steps.carries : steps.carries + steps.slices] = []
        if not stacks.isdisjoint(whole):
            return False
    return True


def _is_short(flow: Flow, most: int) -> bool:
    """Whether a loop without an end of its own is looked at often enough: each of its steps, or
    else the whole loop, takes a short time."""
    if flow.node.repeats() is not None:
        return cost_of(flow.regions[1], most) < 1e8 * _SECONDS
    return _seconds(flow, most) < _SECONDS


# ---------------------------------------------------------------- sizes


def _dtypes(flow: Flow) -> Iterable[DType]:
    for one in flow.all():
        for region in one.regions:
            for x in (*region.program.feeds, *region.program.order):
                if not isinstance(x, MultipleOutputs):
                    yield dtype_of(x)


def _code(straight: Straight, most: int) -> int:
    """The instructions of a region without those of its inner loops and branches, about."""
    program = straight.program
    total = sum(Form.of(sizes(x.shape), most).vectors for x in (*program.feeds, *program.outputs))
    for x in program.order:
        if isinstance(x, Operation) and not isinstance(x, (Regional, Item)):
            total += work(x, most)
    return total


def _seconds(flow: Flow, most: int) -> float:
    """The time of a run, about."""
    costs = [1e-9 * cost_of(region, most) for region in flow.regions]
    if flow.steps is not None:
        return flow.steps.length * costs[0]
    repeats = flow.node.repeats()
    if repeats is not None:
        return sum(costs) * (repeats.most or _GUESS)
    return max(costs)


def _rows(top: Flow) -> tuple[dict[tuple[Node, str, int], int], int]:
    """The places in the workspace, and its bytes."""
    places: dict[tuple[Node, str, int], int] = {}
    total = 0

    def add(node: Regional, what: str, number: int, x: Node, count: int) -> None:
        nonlocal total
        places[node, what, number] = total
        total += -(-count * size(x.shape) * dtype_of(x).itemsize // 64) * 64

    for flow in top.all():
        steps = flow.steps
        if flow is top or steps is None:
            continue
        node = flow.node
        for n in range(steps.carries, steps.carries + steps.slices):
            add(node, "rows", n, node.inputs[n], 1)
        for n, y in enumerate(flow.regions[0].program.outputs):
            if n >= steps.carries:
                add(node, "stack", n, y, steps.length)
    return places, total
