"""Derivations between scalars: local derivatives multiply along each path, and the paths add up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ....autodiff.reverse import pulled_back
from ....dtypes import Array, is_complex
from ....graph.context import graph_scope
from ....graph.derivatives.cotangents import ieee_gradients
from ....graph.describe.notation import PRODUCT, Piece, added
from ....graph.node import Node
from ....graph.operation import MultipleOutputs, Operation
from ....graph.registry import ops
from ....maths import numpy_maths
from .steps import Step
from .symbols import number, partial
from .worked import Worked, is_float, readable

# Said of a product that would be NaN by IEEE 754, with its mathematics in docs/numerics.md.
ABSORBED = r"\quad \mathrm{(a\ cotangent\ of\ 0\ absorbs\ any\ slope)}"
_MOST = 6  # the largest number of paths that are written
_LONGEST = 16  # the largest number of edges in a path


class Edge(NamedTuple):
    """The derivative of a step with respect to one of its inputs."""

    node: Node
    x: Node
    piece: Piece
    value: Array | None


Steps = tuple[list[Step], Array | None, str]  # the steps, the derivative, its expression or ""


def along_paths(worked: Worked, title: str) -> Steps | None:
    """The steps of a derivation path by path; None if a node is an array or complex, where a real
    node takes the real part of what arrives, or for many paths."""
    active = [node for node in worked.order if id(node) in worked.active]
    if any(isinstance(node, MultipleOutputs) or node.shape != () for node in active):
        return None
    if any(node.dtype is not None and is_complex(node.dtype) for node in active):
        return None
    edges = _edges(worked, active)
    paths = _paths(worked, edges)
    if not paths:
        return None
    used = {id(edge) for path in paths for edge in path}
    steps = [
        Step("local", _local(worked, edge), edge.value, worked.user(edge.node, edge.x))
        for edges_of_node in edges.values()
        for edge in edges_of_node
        if id(edge) in used
    ]
    products = [_product(path) for path in paths]
    values = [value for value, _ in products]
    known = [value for value in values if value is not None]
    total = np.sum(known, axis=0, dtype=known[0].dtype)[()] if known else None
    total = None if total is None else np.asarray(total)
    if len(paths) > 1 or len(paths[0]) > 1:
        steps += [
            Step(
                "path",
                _along(worked, path, value) + ABSORBED * absorbs,
                value,
                _nodes(worked, path),
            )
            for path, (value, absorbs) in zip(paths, products, strict=True)
        ]
    if len(paths) > 1:
        steps.append(Step("sum", _sum(title, paths, values, total), total, worked.user(worked.x)))
    result = worked.simplified()
    parts = [title, *([result] if result else []), *([] if total is None else [number(total[()])])]
    if len(parts) > 1:
        steps.append(Step("result", " = ".join(parts), total, worked.user(worked.x)))
    return steps, total, result


def _edges(worked: Worked, active: Sequence[Node]) -> dict[int, list[Edge]]:
    """The edges from each active node to its inputs, by the node's id, consumers first."""
    by_node: dict[int, list[Edge]] = {}
    for node in reversed(active):
        if node is worked.x or not isinstance(node, Operation):
            continue
        pieces = worked.pulled(node, [None])
        numbers = _numbers(worked, node)
        edges: dict[int, Edge] = {}
        for x, piece, value in zip(node.inputs, pieces, numbers, strict=True):
            if piece is not None:  # an input that occurs twice has one derivative, the sum
                before = edges.get(id(x))
                if before is not None:
                    piece = added([before.piece, piece])
                    value = None if value is None or before.value is None else before.value + value
                edges[id(x)] = Edge(node, x, piece, value)
        by_node[id(node)] = list(edges.values())
    return by_node


def _numbers(worked: Worked, node: Operation) -> list[Array | None]:
    """The values of the local derivatives, if they are known."""
    if worked.known is None:
        return [None] * len(node.inputs)
    shadow = worked.known[id(node)]
    wanted = [id(x) in worked.active and is_float(x) for x in node.inputs]
    with graph_scope(None, hidden=True, observed=False):
        cotangents = pulled_back(shadow, ops.ones_like(shadow), wanted)
    return [None if c is None else c.numpy() for c in cotangents]


def _paths(worked: Worked, edges: dict[int, list[Edge]]) -> list[list[Edge]] | None:
    """All paths from y to x; None if there are many or a path is long."""
    count: dict[int, int] = {id(worked.x): 1}
    length: dict[int, int] = {id(worked.x): 0}
    for node in worked.order:
        if id(node) in edges:
            count[id(node)] = sum(count.get(id(edge.x), 0) for edge in edges[id(node)])
            length[id(node)] = 1 + max((length.get(id(e.x), 0) for e in edges[id(node)]), default=0)
    if count.get(id(worked.y), 0) > _MOST or length.get(id(worked.y), 0) > _LONGEST:
        return None
    complete: list[list[Edge]] = []
    stack: list[tuple[Node, list[Edge]]] = [(worked.y, [])]
    while stack:
        node, path = stack.pop()
        if node is worked.x:
            if path:
                complete.append(path)
            continue
        for edge in reversed(edges.get(id(node), [])):
            if count.get(id(edge.x), 0):
                stack.append((edge.x, [*path, edge]))
    return complete


def _product(path: Sequence[Edge]) -> tuple[Array | None, bool]:
    """The product of the derivatives, and whether a 0 in it has absorbed an infinite one or NaN."""
    total: Array | None = None
    absorbs = False
    for edge in path:
        if edge.value is None:
            return None, False
        with np.errstate(all="ignore"):
            if total is None:  # from y on: an edge that isn't taken absorbs what follows
                total = edge.value
            elif ieee_gradients():
                total = np.multiply(total, edge.value)
            else:
                absorbs = absorbs or bool(total == 0 and not np.isfinite(edge.value))
                total = numpy_maths.absorbing_product(total, edge.value)
    return total, absorbs


# ---------------------------------------------------------------- LaTeX


def _symbol(worked: Worked, edge: Edge) -> str:
    return partial(worked.names[id(edge.node)], worked.names[id(edge.x)])


def _local(worked: Worked, edge: Edge) -> str:
    text = f"{_symbol(worked, edge)} = {readable(edge.piece.latex)}"
    if edge.value is None:
        return text
    shown = number(edge.value[()])
    return text if shown == edge.piece.latex else f"{text} = {shown}"


def _along(worked: Worked, path: Sequence[Edge], value: Array | None) -> str:
    """The product of the derivatives of a path: as symbols, expressions and numbers."""
    sides = [r"\,".join(_symbol(worked, edge) for edge in path)]
    inner = _multiplied([edge.piece for edge in path]).latex
    if len(inner) < 160:
        sides.append(inner)
    if value is not None:
        numbers = [number(edge.value[()]) for edge in path if edge.value is not None]
        if len(numbers) > 1:
            first = numbers[0] if numbers[0].startswith("-") else _signed(numbers[0])
            sides.append(r" \cdot ".join([first, *map(_signed, numbers[1:])]))
        sides.append(number(value[()]))
    return " = ".join(dict.fromkeys(sides))


def _multiplied(pieces: Sequence[Piece]) -> Piece:
    """The product of the factors, without factors 1."""
    pieces = [piece for piece in pieces if piece.latex != "1"] or pieces[:1]
    if len(pieces) == 1:
        return pieces[0]
    return Piece(r" \cdot ".join(piece.within(PRODUCT) for piece in pieces), PRODUCT)


def _sum(
    title: str,
    paths: Sequence[Sequence[Edge]],
    values: Sequence[Array | None],
    total: Array | None,
) -> str:
    if total is None:
        terms = [_multiplied([edge.piece for edge in path]) for path in paths]
        return f"{title} = {added(terms).latex}"
    numbers = [number(value[()]) for value in values if value is not None]
    terms = " + ".join(numbers).replace("+ -", "- ")
    return f"{title} = {terms} = {number(total[()])}"


def _signed(text: str) -> str:
    several = text.startswith("-") or " + " in text or " - " in text  # a complex number
    return f"\\left({text}\\right)" if several else text


def _nodes(worked: Worked, path: Sequence[Edge]) -> tuple[Node, ...]:
    return worked.user(worked.y, *(edge.x for edge in path))
