"""The arguments of the transforms (grad, jvp, …) whose functions are running.

A node that depends on them must not become a plain array, which would lose the derivative. The
table is shared by all threads, because a function may pass its arguments to other threads.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...errors import GradientError
from ..context import Origin, find_origin

if TYPE_CHECKING:
    from ..node import Node

arguments: dict[Node, None] = {}  # in order of creation; empty while no transform runs


@contextmanager
def differentiated(nodes: Iterable[Node]) -> Generator[None]:
    """Register `nodes` as being differentiated until the end of the `with`."""
    added = dict.fromkeys(nodes)
    arguments.update(added)
    try:
        yield
    finally:
        for node in added:
            del arguments[node]


def dependencies(roots: Iterable[Node], since: int) -> Generator[Node]:
    """The roots and the nodes they depend on through derivatives that aren't zero by definition.

    The inputs of nodes older than `since` are not searched.
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
    """Raise GradientError if the node depends on a node that is being differentiated."""
    oldest = min((x._serial for x in tuple(arguments)), default=0)
    if any(x in arguments for x in dependencies([node], oldest)):
        raise GradientError(
            f"{_named(node)} would become a plain number or array, which has no derivative, inside "
            "a function that is being differentiated.",
            hint=f"Use x itself instead of float(x) or x.numpy(), and {_function()}; pg.tensor "
            "takes lists of nodes, such as [x[0] * x[0], 0.0]. If a constant is meant, apply "
            "pg.stop_gradient(x) first.",
        )


def _function() -> str:
    """Which function to write instead of that of `math` in the user's line, or in general."""
    place = find_origin(3)
    line = "" if place is None else linecache.getline(*Origin.of(place))
    if method := re.search(r"(\w+)\.dot\(", line):  # that of an array, which asks no node
        return f"{method[1]} @ x instead of {method[1]}.dot(x)"
    called = re.search(r"\bmath\.(\w+)\(", line)
    name = called.group(1) if called else "sin"
    return f"pg.{name} instead of math.{name}"


def check_not_run(order: Iterable[Node]) -> None:
    """Raise GradientError if a node in `order` is being differentiated: it would become part of a
    Program, whose results are plain arrays."""
    for node in order if arguments else ():
        if node in arguments:
            raise GradientError(
                f"{_named(node)} would become a constant of a compiled program, through which no "
                "derivative flows, inside a function that is being differentiated.",
                hint="Call the pg.function with nodes as arguments: it then joins the graph.",
            )


def _named(node: Node) -> str:
    return ("an argument" if node in arguments else node.label()) + node.built()
