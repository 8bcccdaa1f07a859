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
    stack: list[Any] = [*reversed(roots)]
    while stack:
        node = stack.pop()
        if node is _READY:
            order.append(stack.pop())
        elif node not in done:
            done.add(node)
            before = node.inputs if inputs is inputs_of else tuple(inputs(node))
            if before:
                stack += node, _READY
                for x in reversed(before):
                    if x not in done:
                        stack.append(x)
            else:
                order.append(node)
    return order


_READY: Any = object()  # on the stack above a node whose inputs are in the order
