"""Finds attention in a Program: products whose rows are normalised by elementwise nodes and
reductions, and multiplied again, forward and backward.

A kernel computes such a *region* in blocks of rows, so that no matrix of scores is in memory as a
whole (Dao et al., "FlashAttention", 2022). The weights that the backward pass reads are computed
again there from the scores' operands, by a copy of the nodes that compute them forward.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .....dtypes import is_floating
from .....graph.declared.strided import Strided
from .....graph.kinds import Contract, Elementwise, Layout, Reduce
from .....graph.node import Node
from .....graph.operation import Operation
from .....graph.state.records import dataclass, field
from .....passes.program import Program
from .....shapes import axes_in, size, sizes
from ...kernels import formula, reducers
from ...kernels.attention.recipe import Result
from ...llvm.values import supported

_LEAST = 16  # rows and columns at least of a matrix of scores; fewer fill no vectors
_DEPTH = 256  # terms at most of a product that is computed again
_MOST = 64  # nodes at most of a chain
_MATRICES = 2  # of a batch at least: each is computed by one thread


@dataclass(eq=False)
class Factored:
    """A product's operands without the numbers by which they were multiplied, and these numbers'
    product."""

    inputs: tuple[Node, ...]
    factor: float


@dataclass(eq=False)
class Region:
    """Nodes that one kernel computes."""

    shape: tuple[int, ...]  # (…, t, u)
    # Products and the chain, inputs first.
    inner: dict[Operation, None] = field(default_factory=dict[Operation, None])
    results: list[Result] = field(default_factory=list[Result])
    # Products whose operands were multiplied by numbers.
    factored: dict[Operation, Factored] = field(default_factory=dict[Operation, Factored])

    @property
    def products(self) -> list[Operation]:
        """The products of the region whose results the chain reads."""
        return [node for node in self.inner if isinstance(node, Contract)]

    @property
    def inputs(self) -> list[Node]:
        """The values from outside."""
        read = [
            x
            for node in self.inner
            for x in (self.factored[node] if node in self.factored else node).inputs
        ]
        read += [one.other for one in self.results]
        return list(dict.fromkeys(x for x in read if x not in self.inner))


class Finder:
    """Finds the regions of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.place = {node: number for number, node in enumerate(program.order)}
        self._cones: dict[Operation, dict[Operation, None] | None] = {}

    def regions(self) -> list[Region]:
        """Regions whose inner nodes nothing outside of regions reads."""
        uses = [
            use
            for node in self.program.order
            if isinstance(node, Contract) and (use := self._use(node)) is not None
        ]
        if not uses:
            return []
        # The largest first: what they compute, other products may share.
        uses.sort(key=lambda use: -len(_products(self._cone(use.weights) or ())))
        found: list[Region] = []
        for use in uses:
            cone = self._cone(use.weights)
            assert cone is not None
            shape = sizes(use.weights.shape)
            region = next((one for one in found if self._fits(one, use, cone)), None)
            if region is None:
                region = Region(shape)
                found.append(region)
            region.inner = dict.fromkeys(
                sorted({**region.inner, **cone}, key=self.place.__getitem__)
            )
            region.results.append(use)
        return self._closed(found)

    # ---------------------------------------------------------------- the parts of a region

    def _use(self, node: Operation) -> Result | None:
        """The node as a product of weights, None if it is none."""
        if not _is_product(node):
            return None
        x, y = node.inputs
        for weights, other, turned in ((x, y, False), (y, x, True)):
            transposed = isinstance(weights, Layout) and is_transpose(weights)
            base = weights.inputs[0] if transposed else weights
            if (
                isinstance(base, Elementwise)
                and sizes(base.shape)[:-2] == sizes(node.shape)[:-2]
                and self._cone(base) is not None
            ):
                return Result(node, base, other, transposed is not turned, turned)
        return None

    def _cone(self, weights: Operation) -> dict[Operation, None] | None:
        """The nodes that compute weights from products, inputs first; None if they don't."""
        if weights not in self._cones:
            self._cones[weights] = self._searched(weights)
        return self._cones[weights]

    def _searched(self, weights: Operation) -> dict[Operation, None] | None:
        shape = sizes(weights.shape)
        if len(shape) < 3 or min(shape[-2:]) < _LEAST or size(shape[:-2]) < _MATRICES:
            return None
        found: dict[Operation, bool] = {}  # whether a node depends on a product
        stack: list[tuple[Operation, bool]] = [(weights, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                found[node] = isinstance(node, Contract) or any(
                    found.get(x, False) for x in node.inputs if isinstance(x, Operation)
                )
            elif node not in found:
                found[node] = False
                stack.append((node, True))
                if not isinstance(node, Contract):
                    stack += (
                        (x, False)
                        for x in node.inputs
                        if isinstance(x, Operation) and _belongs(x, shape, weights.dtype)
                    )
                if len(found) > _MOST:
                    return None
        cone = [node for node, depends in found.items() if depends]
        chain = [node for node in cone if not isinstance(node, Contract)]
        if not any(isinstance(node, Reduce) for node in chain) or weights not in cone:
            return None
        return dict.fromkeys(sorted(cone, key=self.place.__getitem__))

    def _fits(self, region: Region, use: Result, cone: dict[Operation, None]) -> bool:
        """Whether the region computes the weights' products too, and can compute the product with
        its other results: none of its inputs depends on any of them."""
        if region.shape != sizes(use.weights.shape) or not _products(cone) <= _products(
            region.inner
        ):
            return False
        inputs = [x for x in (*region.inputs, use.other) if x not in region.inner]
        return not self._depends(inputs, [use.node, *(one.node for one in region.results)])

    def _depends(self, inputs: Iterable[Node], on: Sequence[Node]) -> bool:
        """Whether one of the inputs depends on one of these nodes."""
        first, targets = min(map(self.place.__getitem__, on)), set(on)
        stack, seen = [*inputs], set[Node]()
        while stack:
            node = stack.pop()
            if node in targets:
                return True
            if node not in seen and self.place[node] > first:
                seen.add(node)
                stack += node.inputs
        return False

    # ---------------------------------------------------------------- what can't be seen outside

    def _closed(self, regions: list[Region]) -> list[Region]:
        """The regions none of whose inner nodes must be in memory, for other nodes or as an input
        of a region."""
        readers: dict[Node, list[Node]] = {}
        for node in self.program.order:
            for x in node.inputs:
                readers.setdefault(x, []).append(node)
        roots = set(self.program.roots)
        while True:
            inner = {node for region in regions for node in region.inner}
            inside = inner | {one.node for region in regions for one in region.results}

            def is_hidden(node: Node, inside: set[Operation] = inside) -> bool:
                if node in roots:
                    return False
                return all(
                    reader in inside or (isinstance(reader, Layout) and is_hidden(reader))
                    for reader in readers.get(node, ())
                )

            kept = [
                region
                for region in regions
                if all(map(is_hidden, region.inner)) and inner.isdisjoint(map(_base, region.inputs))
            ]
            if len(kept) == len(regions):
                return kept
            regions = kept


def _base(x: Node) -> Node:
    """The node whose elements x shows."""
    while isinstance(x, Layout):
        x = x.inputs[0]
    return x


def _products(nodes: Iterable[Operation]) -> set[Operation]:
    return {node for node in nodes if isinstance(node, Contract)}


def _is_product(node: Node) -> bool:
    """Whether the node is a product of matrices of floats in a batch."""
    return (
        isinstance(node, Contract)
        and node._shipped
        and node.dtype is not None
        and is_floating(node.dtype)
        and supported(node.dtype)
        and len(sizes(node.shape)) >= 3
        and min(len(sizes(x.shape)) for x in node.inputs) >= 3
        and 0 not in sizes(node.shape)
        and 0 < sizes(node.inputs[0].shape)[-1]
    )


def _belongs(x: Operation, shape: tuple[int, ...], dtype: object) -> bool:
    """Whether a node can be part of a chain over the rows of matrices of this shape: a product, an
    elementwise node, or a reduction along the rows."""
    if not x._shipped:
        return False
    if isinstance(x, Contract):
        few = sizes(x.inputs[0].shape)[-1] <= _DEPTH
        return _is_product(x) and sizes(x.shape) == shape and x.dtype == dtype and few
    if isinstance(x, Reduce):
        whole = sizes(x.inputs[0].shape)
        return (
            whole == shape
            and sizes(x.shape) == (*shape[:-1], 1)
            and axes_in(x.attributes["axis"], len(shape)) == (len(shape) - 1,)
            and reducers.fits(x)
        )
    return (
        isinstance(x, Elementwise)
        and sizes(x.shape) in (shape, (*shape[:-1], 1))
        and type(x).bounds is Operation.bounds
        and formula.fits(x)
    )


def is_transpose(node: Layout) -> bool:
    """Whether the layout exchanges the last two axes."""
    x = Strided.contiguous(sizes(node.inputs[0].shape))
    if len(x.shape) < 2 or not node._shipped:
        return False
    *outer, rows, columns = range(len(x.shape))
    return node.checked_view(x) == x.permuted((*outer, columns, rows))
