"""What is being differentiated: the arguments of transforms whose function runs now.

They are kept for all threads together, since a function may hand its arguments to other threads.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import GradientError

if TYPE_CHECKING:
    from .node import Node

arguments: dict[Node, None] = {}  # in the order they were made; empty while no transform runs


@contextmanager
def differentiated(nodes: Iterable[Node]) -> Generator[None]:
    """Until the end of the `with`, no value that depends on these nodes becomes a plain array."""
    added = dict.fromkeys(nodes)
    arguments.update(added)
    try:
        yield
    finally:
        for node in added:
            del arguments[node]


def dependencies(roots: Iterable[Node], since: int) -> Generator[Node]:
    """What the roots depend on with a derivative that isn't 0 by definition, the roots included.

    What nodes older than `since` depend on is left out.
    """
    stack = [root for root in roots if root._differentiable]
    seen = set(stack)
    while stack:
        node = stack.pop()
        yield node
        if node._serial >= since and not node.piecewise_constant:
            for x in node.inputs:
                if x not in seen and x._differentiable:
                    seen.add(x)
                    stack.append(x)


def check_not_cut(node: Node) -> None:
    """Raise GradientError where the node depends on what is being differentiated."""
    oldest = min((x._serial for x in tuple(arguments)), default=0)
    if any(x in arguments for x in dependencies([node], oldest)):
        raise GradientError(
            f"{_named(node)} would become a plain number or array, which has no derivative, inside "
            "a function that is being differentiated.",
            hint="Stay with nodes: pg.sin for math.sin, pg.tensor for lists of nodes. Where a "
            "constant is meant, pg.stop_gradient(x) first.",
        )


def check_not_run(order: Iterable[Node]) -> None:
    """Raise GradientError where a node that is being differentiated would become part of a
    Program, whose results are plain arrays."""
    for node in order if arguments else ():
        if node in arguments:
            raise GradientError(
                f"{_named(node)} would become a constant of a compiled program, through which no "
                "derivative flows, inside a function that is being differentiated.",
                hint="Give a pg.function nodes as arguments, and it is part of the graph.",
            )


def _named(node: Node) -> str:
    return ("an argument" if node in arguments else node.label()) + node.built()
