"""The interface of a kernel: nodes that one function of machine code computes together.

Scheduling, buffers, code generation and reports use a kernel only through this interface. A kernel
is constructed when all views are final, computes its plan then, and is immutable.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, TypeAlias

from ....graph.kinds import Elementwise
from ....graph.leaves import Variable
from ....graph.node import Node
from ....graph.operation import Operation
from ....graph.state.lazy import lazy
from ....graph.state.records import dataclass, field
from ....shapes import sizes, text
from ..llvm.kernel_context import KernelContext
from ..llvm.strided_view import View
from ..llvm.target import host
from .formula import dtype_of, outside, weight

Views: TypeAlias = Mapping[Node, View]  # the view of each value


@dataclass(frozen=True, eq=False)
class Fused:
    """The nodes of one kernel, inputs first."""

    nodes: tuple[Operation, ...] = ()
    live_out: tuple[Operation, ...] = ()  # nodes that are written to memory
    inner: Mapping[Node, Node] = field(default_factory=dict[Node, Node])  # see `outside`
    shape: tuple[int, ...] = ()  # of the index space that they run over
    scalars: frozenset[Node] = frozenset()  # nodes with one number for each row of that space

    @property
    def first(self) -> Operation:
        """The first node: a product, a convolution, a pooling; the others are its epilogue."""
        return self.nodes[0]

    @lazy
    def operands(self) -> tuple[Node, ...]:
        """The values that the nodes read from memory."""
        return tuple(outside(self.nodes, self.inner))

    @lazy
    def epilogue_operands(self) -> tuple[Node, ...]:
        """The values that the nodes after the first read from memory, except the first's own."""
        operands = outside(self.nodes[1:], self.inner)
        return tuple(x for x in operands if x is not self.first)

    def is_live_out(self, node: Node) -> bool:
        """Whether the node's value is written to memory."""
        return any(other is node for other in self.live_out)

    def with_first_live_out(self) -> Fused:
        """The same nodes, with the first one's value written to memory in any case."""
        others = (node for node in self.live_out if node is not self.first)
        return replace(self, live_out=(self.first, *others))


NO_NODES = Fused()


@dataclass(frozen=True, eq=False)
class Kernel(ABC):
    """One kernel. Its work is `items` independent items, numbered from 0; `emit` emits the code for
    a range of them. The defaults are those of a kernel without prerequisites and continuation."""

    fused: Fused

    label: ClassVar[str]  # its name in explain()
    description: ClassVar[str]  # its description in explain()
    is_native: ClassVar[bool] = True  # whether generated code computes it, rather than NumPy
    # Whether it has a stage and a segment of its own, which the thread of the run begins.
    has_own_segment: ClassVar[bool] = False
    # Whether it can make the run raise an error; then it writes into the control block.
    may_fail: ClassVar[bool] = False
    # Whether the arithmetic of its nodes is counted for the kernel that it continues.
    is_counted_before: ClassVar[bool] = False

    @property
    def nodes(self) -> tuple[Operation, ...]:
        """All nodes, including those that this kernel recomputes."""
        return self.fused.nodes

    @property
    def live_out(self) -> tuple[Operation, ...]:
        """The nodes whose values it writes to memory."""
        return self.fused.live_out

    @property
    def computed(self) -> tuple[Operation, ...]:
        """The nodes computed here, and not by a prerequisite or continuation."""
        return self.nodes

    def reads(self) -> tuple[Node, ...]:
        """The values that it reads from memory."""
        return self.fused.operands

    @property
    @abstractmethod
    def items(self) -> int:
        """The number of items; 0 if there is nothing to do."""

    @property
    @abstractmethod
    def cost(self) -> float:
        """Nanoseconds on one thread, estimated from sizes alone."""

    @property
    def workspace(self) -> int:
        """Bytes that it writes for other kernels besides the values of nodes."""
        return 0

    @property
    def prerequisites(self) -> tuple[Kernel, ...]:
        """Kernels that prepare its operands; each runs as soon as its source is computed."""
        return ()

    def continuation(self) -> Kernel | None:
        """A new kernel that completes this one's results from its workspace; None if they are
        complete."""
        return None

    @property
    def workspaces(self) -> tuple[Kernel, ...]:
        """The kernels whose workspaces it reads."""
        return self.prerequisites

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions of other libraries that the code calls (`llvm/library_functions.py`)."""
        return ()

    @property
    def is_guarded(self) -> bool:
        """Whether it must not run after a bounds check has failed, even if it changes no
        Variable."""
        return False

    @property
    def is_serial(self) -> bool:
        """Whether a kernel with a stage of its own runs on one thread."""
        return False

    @property
    def is_repetition(self) -> bool:
        """Whether explain() only counts it, because it does what kernels before it do."""
        return False

    @property
    def constants(self) -> tuple[Node, ...]:
        """The constants of its regions, which must be in memory."""
        return ()

    @property
    def is_placed(self) -> bool:
        """Whether the inputs' producers have written the result already, so that nothing runs."""
        return False

    @property
    def overwrites(self) -> Variable | None:
        """The Variable that it copies its result to."""
        return None

    @abstractmethod
    def emit(self, context: KernelContext) -> None:
        """Emits the code for items `context.begin` to `context.end`."""

    def space(self) -> str:
        """Its index space in words: a shape and a dtype."""
        node = self.nodes[-1]
        return f"{text(self.fused.shape or sizes(node.shape))} {dtype_of(node)}"


@dataclass(frozen=True, eq=False)
class Preparation(Kernel):
    """A kernel that copies an operand to its workspace, in the layout that another kernel reads."""

    source: Node
    view: View  # of the source

    def reads(self) -> tuple[Node, ...]:
        return (self.source,)

    @property
    def cost(self) -> float:
        return 0.1 * self.workspace

    def space(self) -> str:
        return f"{text(self.view.shape)} {dtype_of(self.source)}"


@dataclass(frozen=True, eq=False)
class Continuation(Kernel):
    """A kernel that combines, in order, the partial results in another kernel's workspace."""

    before: Kernel  # the kernel that it continues

    @property
    def workspaces(self) -> tuple[Kernel, ...]:
        return (self.before,)

    def reads(self) -> tuple[Node, ...]:
        return ()


def per_element(nodes: Sequence[Operation], operands: int) -> float:
    """Estimated nanoseconds for one element of these nodes, from instructions and operands."""
    sixteenth = host().lanes(4) / 16
    work = sum((weight(node) or 1) if isinstance(node, Elementwise) else 1 for node in nodes)
    return 0.005 * work / sixteenth + 0.03 * operands
