"""A training step in blocks of its batch, whose numbers don't depend on the number of devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from ..dtypes import float64, real_of
from ..engines.placement import BLOCKS, current
from ..errors import ArgumentError, GraphError, ShapeError
from ..graph.leaves import Constant, Variable
from ..graph.node import Node
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.calls import public
from ..messages.checks import shown, whole
from ..ops.control.blocks import of_blocks
from ..ops.reduction.axes import narrowed
from ..shapes import sizes
from ..trees import leaves, rebuilt


class Minimizer(Protocol):
    """What is needed of an optimizer."""

    def gradients(self, loss: Node) -> dict[Variable, Node]:
        """∂loss/∂variable for each Variable that a step changes."""
        ...

    def apply(self, gradients: Mapping[Variable, Node]) -> Node | None:
        """Takes a step along gradients."""
        ...


@public
def minimize(
    optimizer: Minimizer, loss: Callable[..., Any], *arrays: Any, blocks: int | None = None
) -> Node:
    """Take a step along the gradient of the mean of loss(*arrays), computed in blocks; returns the
    mean, in float64.

    The arrays, or trees of them, are cut along their first axis into `blocks` blocks, by default
    those of the placement in use, or 8. Gradients are computed block by block and added in their
    order, as by `optimizer.accumulate`: so the numbers are the same on one device and on several,
    of which each computes some blocks where `use(mesh, deterministic=True)` is. `loss` can't draw
    random numbers nor assign Variables. Arrays that can't be cut evenly are one block.
    """
    if not callable(loss) or not callable(getattr(optimizer, "gradients", None)):
        raise ArgumentError(
            f"minimize: expected an optimizer and a function of the arrays, got {shown(optimizer)} "
            f"and {shown(loss)}.",
            hint="Write pg.scale.minimize(pg.optim.Adam(), lambda x, y: …, x, y).",
        )
    return in_blocks(optimizer, lambda *rows: (loss(*rows), ()), arrays, blocks)[0]


def in_blocks(
    optimizer: Minimizer, step: Callable[..., tuple[Any, Any]], arrays: Any, blocks: int | None
) -> tuple[Node, Any]:
    """`minimize` for a function that returns (loss, other results), which are stacked."""
    placement = current()
    if blocks is None:
        blocks = (placement.blocks if placement is not None else None) or BLOCKS
    whole("minimize: blocks", blocks, least=1, like=BLOCKS)
    given = [as_node(x) for x in leaves(arrays)]
    rows = _rows(given)
    count = blocks if rows % blocks == 0 else 1
    parts = [ops.reshape(x, (count, rows // count, *sizes(x.shape)[1:])) for x in given]
    targets: list[Variable] = []

    def block(xs: list[Node]) -> Any:
        mean, others = step(*rebuilt(arrays, iter(xs)))
        found = optimizer.gradients(mean)
        targets[:] = found
        weighted = [g * float(rows // count) for g in found.values()]
        return [ops.cast(mean, float64), weighted, others]

    try:
        means, terms, others = of_blocks(block, parts)
    except GraphError as error:
        raise GraphError(
            f"a step in blocks can't draw random numbers or assign Variables: {error.fact}",
            hint="Leave out dropout and batch normalisation, or deterministic=True.",
        ) from error
    each = Constant(np.full(count, rows // count, np.float64))
    zeros = [ops.zeros_like(x[0]) for x in (each, means, *terms)]
    (weight, total, *sums), _ = ops.scan(
        lambda carry, row: ([a + b for a, b in zip(carry, row, strict=True)], None),
        zeros, [each, means * each, *terms],
    )  # fmt: skip
    mean = {v: s / narrowed(weight, real_of(s.dtype)) for v, s in zip(targets, sums, strict=True)}
    optimizer.apply(mean)
    return total / weight, others


def _rows(given: list[Node]) -> int:
    """The length of the first axes."""
    shapes = [sizes(x.shape) for x in given]
    counts = {shape[0] if shape else None for shape in shapes}
    if len(counts) != 1 or None in counts or 0 in counts:
        raise ShapeError(f"minimize: the arrays have the shapes {', '.join(map(str, shapes))}.",
                         hint="All of them need one row for each example.")  # fmt: skip
    return next(iter(counts)) or 0
