"""Postorder of a graph, by a loop: recursion would overflow the stack on deep graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, overload

from ..node import Node

N = TypeVar("N")


def inputs_of(node: Node) -> Sequence[Node]:
    """The inputs of a node."""
    return node.inputs


@overload
def postorder(*roots: Node) -> list[Node]: ...
@overload
def postorder(*roots: N, inputs: Callable[[N], Iterable[N]]) -> list[N]: ...
def postorder(*roots: Any, inputs: Callable[[Any], Iterable[Any]] = inputs_of) -> list[Any]:
    """The roots and all nodes they depend on, each once, inputs before consumers.

    >>> import palingrad as pg
    >>> x = pg.tensor(2.0, name="x")
    >>> [node.name for node in pg.postorder(x * x + x)]
    ['x', 'multiply', 'add']
    """
    order: list[Any] = []
    done: set[Any] = set()
    stack: list[tuple[Any, bool]] = [(root, False) for root in reversed(roots)]
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
