"""The chain rule of a question, as a formula in the names of the cards: the second hint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...dtypes import Array
from ...errors import PalingradError
from ...graph.context import graph_scope
from ...graph.kinds import AnonymousGraph
from ...graph.leaves import Constant, Placeholder
from ...graph.node import Node
from ...graph.operation import Operation
from ..reading.mathematics.symbols import bar, partial, symbol
from ..reading.mathematics.worked import Worked

Uses = Sequence[tuple[Operation, int]]  # consumers on paths to the result, with the operand's place


def chain_rule(
    result: Node,
    node: Node,
    uses: Uses,
    names: Mapping[Node, str],
    values: Mapping[Node, Array],
    scalars: bool,
) -> str:
    """∂result/∂node as LaTeX: the sum over its uses of the adjoints that they send back.

    Adjoints of scalars are written as ∂L/∂e, those of arrays as ē. Empty if no rule can be written.
    """
    terms: list[str] = []
    loss = symbol(names[result])
    for use, position in uses:
        seed = symbol(names[use])
        seed = None if use is result else partial(loss, seed) if scalars else bar(seed)
        term = _sent_back(use, position, seed, names, values)
        if not term:
            return ""
        terms.append(term)
    own = symbol(names[node])
    title = partial(loss, own)
    sides = [title] if scalars else [title, bar(own)]
    total = terms[0] + "".join(t if t.startswith("-") else f" + {t}" for t in terms[1:])
    return " = ".join([*sides, total])


def _sent_back(
    use: Operation,
    position: int,
    seed: str | None,
    names: Mapping[Node, str],
    values: Mapping[Node, Array],
) -> str:
    """The contribution of a use to the adjoint of its operand, as LaTeX, or ""."""
    try:
        with graph_scope(AnonymousGraph(), hidden=True, observed=False):
            inputs = [_operand(x, names[x], values[x]) for x in use.inputs]
            first = {id(x): y for x, y in zip(reversed(use.inputs), reversed(inputs), strict=True)}
            alone = use.rebuild([first[id(x)] for x in use.inputs])
            alone._name = names[use]
        worked = Worked(alone, inputs[position], {})
        worked.equations()
        if not isinstance(worked.y, Operation):
            return ""
        piece = worked.pulled(worked.y, [seed])[position]
    except PalingradError:  # an operation without a rule that can be written
        return ""
    return "" if piece is None else piece.latex


def _operand(x: Node, name: str, value: Array) -> Any:
    if isinstance(x, Constant) and x.scalar is not None:
        return x
    return Placeholder(value.shape, dtype=value.dtype, name=name)
