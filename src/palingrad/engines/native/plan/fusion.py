"""Fusion: partitions the nodes of a Program into groups, each of which becomes one kernel.

A node joins the group that computes one of its inputs if it runs over the same elements and none of
its other inputs depends on that group (`joining/membership.py`), or if a loop with shifted elements
can compute both (`joining/stencils.py`). Elementwise nodes computed from leaves alone are computed
in the groups that need them (`joining/sinking.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from ....dtypes import is_floating, is_integer
from ....graph.declared.bounds import Bounds
from ....graph.kinds import Contract, Elementwise, Layout, Reduce, Scan
from ....graph.node import Node
from ....graph.operation import Item, MultipleOutputs, Operation
from ....graph.regions.region import Region
from ....graph.regions.regional import Regional
from ....passes.program import Program
from ....shapes import axes_in, size, sizes
from ..kernels import control, formula, reducers, scan, windowed
from ..kernels.attention.kernel import ATTENTION
from ..kernels.attention.recipe import Attended, Recipe
from ..kernels.bounds_check import bounds_check
from ..kernels.factor import family as factor
from ..kernels.fallback import FALLBACK
from ..kernels.family import Group, KernelFamily
from ..kernels.gemm.family import PRODUCT
from ..kernels.library import factors, sorting
from ..kernels.loop.kernel import LoopFamily, family_of as family_in_registers
from ..kernels.movement import gather_scatter
from ..kernels.movement.concat import CONCATENATION
from ..kernels.movement.copy import COPY, copy_of
from ..kernels.movement.slice_adjoint import SLICE_ADJOINT
from ..kernels.reduction import REDUCTION
from ..kernels.row import ELEMENTWISE
from ..llvm.strided_view import View, filled, keeps_order, layout_view, positions, whole
from ..llvm.values import supported
from . import index_checks
from .groups import Groups
from .joining.membership import layout, may_join, may_merge
from .joining.sinking import Sinking
from .joining.stencils import Stencils
from .lower import lowered

_ROW = 1 << 14  # numbers in a row that a row kernel keeps in the first-level cache


def fused(program: Program, *, inside: bool = False) -> Groups:
    """The groups of a program, and the view of every value; see `scheduled`."""
    return _Fusion(program, inside).groups


class _Fusion:
    """Assigns each node to a group, inputs first."""

    def __init__(self, program: Program, inside: bool) -> None:
        self.groups = Groups()
        self._inside = inside
        self.views = self.groups.views
        self.sinking = Sinking(self.groups, program)
        self.stencils = Stencils(self.groups, self.sinking)
        self._outputs = frozenset(program.outputs)
        self._trains = bool(program.updates)
        self._bounds_checks: dict[Hashable, Group] = {}
        self._attention: dict[Recipe, Group] = {}
        self._several: dict[Node, Group] = {}  # by the operation with several results
        # How often each value is still read by nodes without a group.
        self._uses = Counter(x for node in program.order for x in node.inputs)
        for node in program.order:
            self._place(node)
            self._uses.subtract(node.inputs)
        for node in program.roots:
            self.sinking.materialize(node)

    def _place(self, node: Node) -> None:
        if not isinstance(node, Operation):
            self.views[node] = whole(node)
        elif isinstance(node, Regional):
            family = self._in_registers(node)
            if family is None:
                family = control.family_of(node, self.views, self._inside)
            group = self._start_group(node, family or FALLBACK)
            if isinstance(family, LoopFamily):
                self._several[node] = group
        elif isinstance(node, Item) and node.inputs[0] in self._several:
            self.groups.put(node, self._several[node.inputs[0]], whole(node))
        elif self._is_of_control(node):
            self.groups.put(node, self.groups.producer[node.inputs[0]], whole(node))
        elif (family := self._in_panels(node)) is not None:
            group = self._start_group(node, family)
            if isinstance(node, MultipleOutputs):
                self._several[node] = group
        elif not self._is_supported(node):
            self._start_group(node, FALLBACK)
        elif isinstance(node, Attended):
            self._attended(node)
        elif isinstance(node, Elementwise) and self._is_compilable(node):
            self._elementwise(node)
        elif isinstance(node, Layout):
            self._layout(node)
        elif isinstance(node, Reduce) and reducers.fits(node):
            self._reduce(node)
        elif isinstance(node, Scan) and scan.fits(node):
            self._scan(node)
        elif (
            isinstance(node, Contract)
            and node.dtype is not None
            and (is_floating(node.dtype) or is_integer(node.dtype))
        ):
            self._start_group(node, PRODUCT)
        elif (family := gather_scatter.family_of(node)) is not None and not index_checks.is_wrong(
            node
        ):
            self._indexed(node, family)
        elif (family := self._of_library(node)) is not None:
            self._start_group(node, family)
        elif windowed.fits(node):
            self._start_group(node, windowed.WINDOW, windowed.layout(node))
        else:
            self._start_group(node, FALLBACK)

    def _is_of_control(self, node: Operation) -> bool:
        """Whether the node is a result of control flow that machine code computes."""
        group = self.groups.producer.get(node.inputs[0]) if isinstance(node, Item) else None
        return group is not None and isinstance(group.family, control.ControlFamily)

    def _is_supported(self, node: Operation) -> bool:
        """Whether generated code supports the dtypes of inputs and result, and the operation is the
        library's or a layout. Lowering has replaced every user's operation that could be read."""
        if isinstance(node, MultipleOutputs) or not supported(node.dtype):
            return False
        if not node._shipped and not isinstance(node, Layout):
            return False
        return all(x in self.views and supported(x.dtype) for x in node.inputs)

    def _is_compilable(self, node: Operation) -> bool:
        """Whether generated code can compute an elementwise node."""
        return formula.fits(node) and not index_checks.is_wrong(node)

    def _in_registers(self, node: Regional) -> KernelFamily | None:
        """The family of control flow whose values stay in registers."""
        if not all(x in self.views for x in node.inputs):
            return None
        return family_in_registers(node, _lowered_region)

    def _in_panels(self, node: Operation) -> KernelFamily | None:
        """The family of factors and solutions that are computed in panels of a matrix."""
        if not all(x in self.views for x in node.inputs):
            return None
        return factor.family_of(node)

    def _of_library(self, node: Operation) -> KernelFamily | None:
        """The family of a node whose kernel calls another library's functions. They aren't called
        where subnormal numbers count as 0, which they don't expect."""
        if self._trains:
            return None
        return sorting.family_of(node) or factors.family_of(node)

    # ---------------------------------------------------------------- one node

    def _elementwise(self, node: Operation) -> None:
        self._bounds_checks_of(node)
        if self.stencils.takes(node):
            return
        shape = sizes(node.shape)
        for x in node.inputs:
            base = self.views[x].base
            if base in self.groups.sinkable:
                own = sizes(base.shape), *positions(self.views[base])
                if (shape, *positions(self.views[x])) != own:
                    self.sinking.materialize(x)  # a transposed or shifted read needs it in memory
        if self.sinking.sink_into_reductions(node):
            return
        group = self._open_group(node)
        if group is None:
            if self.sinking.sink(node):
                return
            group = self.groups.new(ELEMENTWISE, shape)
        bases = [self.views[x].base for x in node.inputs]
        for other in self.groups.candidates(bases):
            if may_merge(node, other, group, self.groups, self._uses):
                self.groups.merge(other, group)
        self._join(node, group)

    def _layout(self, node: Layout) -> None:
        view = layout_view(node, self.views[node.inputs[0]])
        if view is not None:
            if node in self._outputs and not _is_returned(view):
                self._start_group(node, copy_of(view))
            else:
                self.views[node] = view
            return
        parts = filled(node) if node._shipped else None
        if self.stencils.takes(node):
            return
        if parts is None:
            self._start_group(node, COPY if keeps_order(node) else FALLBACK)
        else:
            is_all = sum(size(part.shape) for part in parts) == size(sizes(node.shape))
            self._start_group(node, CONCATENATION if is_all else SLICE_ADJOINT)

    def _reduce(self, node: Operation) -> None:
        x = node.inputs[0]
        shape = sizes(x.shape)
        if not _is_row(node, shape):
            group = self.groups.new(REDUCTION, shape)
            self.sinking.inline(x, group)
            self.groups.put(node, group, whole(node))
            return
        group = self._open_group(node) or self.groups.new(ELEMENTWISE, shape)
        group.scalars.add(node)
        self._join(node, group)

    def _scan(self, node: Operation) -> None:
        group = self.groups.new(scan.SCAN, sizes(node.shape))
        for x in node.inputs:
            if sizes(x.shape) == group.shape:
                self.sinking.inline(x, group)
            else:
                self.sinking.materialize(x)
        self.groups.put(node, group, whole(node))

    def _start_group(
        self, node: Operation, family: KernelFamily, view: View | None = None
    ) -> Group:
        """Starts a group with this node, which others may join."""
        for x in node.inputs:
            self.sinking.materialize(x)
        several = isinstance(node, MultipleOutputs)
        group = self.groups.new(family, () if several else sizes(node.shape))
        if not several and supported(node.dtype):
            view = view or whole(node)
        self.groups.put(node, group, view)
        return group

    def _attended(self, node: Attended) -> None:
        """Adds a result of attention to the group of its recipe; all have the same inputs."""
        view = ATTENTION.view(node, self.views)
        group = self._attention.get(node.recipe)
        if group is None:
            self._attention[node.recipe] = self._start_group(node, ATTENTION, view)
        else:
            self.groups.put(node, group, view)

    def _indexed(self, node: Operation, family: KernelFamily) -> None:
        """Starts a gather or scatter, after the bounds check of indices that aren't fed."""
        checks = self._bounds_checks_of(node)
        group = self._start_group(node, family)
        self.groups.dependencies.add(group.number, [check.number for check in checks])

    def _bounds_checks_of(self, node: Operation) -> list[Group]:
        """The groups that check the bounds of the node's indices or exponents; none for fed ones,
        which are checked before the first kernel."""
        checks = index_checks.checks_of(node)
        return [self._bounds_check(one) for one in checks
                if index_checks.fed(one.x, self.views) is None]  # fmt: skip

    def _bounds_check(self, check: Bounds) -> Group:
        """The group that checks these bounds."""
        self.sinking.materialize(check.x)
        view = self.views[check.x]
        key = (view.base, view.shape, view.strides, view.offset, check.low, check.high)
        if key not in self._bounds_checks:
            group = self.groups.new(bounds_check(check), view.shape, (check.x,))
            self._bounds_checks[key] = group
        return self._bounds_checks[key]

    # ---------------------------------------------------------------- joining groups

    def _open_group(self, node: Operation) -> Group | None:
        """The latest group that the node may join."""
        bases = [base for x in node.inputs for base in self.sinking.inputs(x)]
        for group in self.groups.candidates(bases):
            if may_join(node, group, self.groups, self._uses):
                return group
        return None

    def _join(self, node: Operation, group: Group) -> None:
        """Makes the node a member of the group, with the sinkable nodes that it needs."""
        full = isinstance(node, Reduce) or sizes(node.shape) == group.shape
        if not full:
            group.scalars.add(node)
        for x in node.inputs:
            if full:
                self.sinking.inline(x, group)
            else:
                self.sinking.materialize(x)
        view = whole(node)
        if full and not isinstance(node, Reduce):
            view = layout(node, group, self.groups, view)
        self.groups.put(node, group, view)


def _lowered_region(region: Region) -> Program:
    return lowered(Program(region.parameters, region.results))


def _is_returned(view: View) -> bool:
    """Whether the view's buffer can be returned without a copy, if it is a result."""
    return view.plain and isinstance(view.base, Operation)


def _is_row(node: Operation, shape: tuple[int, ...]) -> bool:
    """Whether a row kernel suits this reduction: it is over the last axis, of at most `_ROW`
    elements, and has several rows or few elements in all."""
    if not shape or axes_in(node.attributes["axis"], len(shape)) != (len(shape) - 1,):
        return False
    rows = size(shape[:-1])
    return 2 <= shape[-1] <= _ROW and (rows >= 4 or size(shape) <= _ROW) and rows > 0
