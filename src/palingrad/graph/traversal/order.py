"""Postorder of a graph, by a loop: recursion would overflow the stack on deep graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..node import Node


def inputs_of(node: Node) -> Sequence[Node]:
    """The inputs of a node."""
    return node.inputs


def postorder(*roots: Node, inputs: Callable[[Node], Iterable[Node]] = inputs_of) -> list[Node]:
    """The roots and all nodes they depend on, each once, inputs before consumers.

    >>> import palingrad as pg
    >>> x = pg.tensor(2.0, name="x")
    >>> [node.name for node in pg.postorder(x * x + x)]
    ['x', 'multiply', 'add']
    """
    order: list[Node] = []
    done: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in done:
            done.add(node)
            stack.append((node, True))
            for x in reversed(tuple(inputs(node))):
                if x not in done:
                    stack.append((x, False))
    return order
