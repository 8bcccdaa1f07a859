"""Traces a Python function into a region, and lifts what it captures to parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ...dtypes import scalar_dtype
from ...errors import ArgumentError, GraphError
from ...messages.calls import called
from ...trees import fields, is_dataclass, leaves, rebuilt
from ..context import graph_scope
from ..kinds import AnonymousGraph, Assign, Composite, Random
from ..leaves import Constant, Placeholder, Variable
from ..node import Node, next_serial
from ..operation import Item, Operation
from ..promotion import as_node
from ..registry import ops
from ..traversal.order import postorder
from .region import Region, form_of, parameter

_SMALL = 1  # elements of an array in the body that is a constant of the region


class RegionGraph(AnonymousGraph):
    """The graph in which a region is traced. It refuses what a region can't hold."""

    takes_assignments = True  # so that they are refused below, by name

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def add(self, node: Node) -> None:
        if isinstance(node, Assign):
            variable: Variable = node.attributes["variable"]
            raise GraphError(
                f"{self.where}: {variable.label()} is assigned in the body{node.built()}, which "
                "computes values only.",
                hint="Carry the value, and assign what the loop returns.",
            )
        if isinstance(node, Random):
            raise self.random(node)

    def random(self, node: Node) -> GraphError:
        """The error for random numbers: each run of the body would draw the same ones."""
        return GraphError(
            f"{self.where}: random numbers are drawn in the body{node.built()}, where each run "
            "would draw the same ones.",
            hint="Draw them before, with a row for each run, and pass them in xs.",
        )

    def check_new_variable(self) -> None:
        raise GraphError(
            f"a Variable can't be created in the body of {self.where}: it would be lost.",
            hint="Create it before; pg.tensor makes a constant.",
        )

    def value_hint(self, node: Node) -> str:
        """For messages: no Python code can have the value of a node of a region."""
        return (
            f"it is computed whenever {self.where} runs its body, which was called once, to build "
            "a graph. Choose with pg.cond(condition, f, g, x), repeat with pg.while_loop, and "
            "compute with the node itself, by functions of pg; it indexes a NumPy array a as "
            "pg.asarray(a)[i]"
        )


def nodes_of(tree: Any) -> list[Any]:
    """The leaves of a tree without None, which stands for nothing."""
    return [leaf for leaf in leaves(tree, dataclasses=True) if leaf is not None]


def filled(tree: Any, new: Sequence[Any]) -> Any:
    """The tree with its leaves replaced, except None."""
    given = iter(new)
    old = leaves(tree, dataclasses=True)
    return rebuilt(tree, (None if leaf is None else next(given) for leaf in old), dataclasses=True)


def same_structure(a: Any, b: Any) -> bool:
    """Whether two trees have the same containers, keys, static fields and None."""
    if isinstance(a, dict) or isinstance(b, dict):
        if type(a) is not type(b) or set(a) != set(b):
            return False
        return all(same_structure(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) or isinstance(b, (list, tuple)):
        alike = type(a) is type(b) and len(a) == len(b)
        return alike and all(map(same_structure, a, b))
    if is_dataclass(a) or is_dataclass(b):
        alike = type(a) is type(b) and fields(a, static=True) == fields(b, static=True)
        return alike and same_structure(fields(a), fields(b))
    return (a is None) == (b is None)


def ordered(tree: Any, like: Any) -> Any:
    """The tree with the keys of its dicts in the order of another tree of the same structure."""
    if isinstance(like, dict):
        return {key: ordered(tree[key], like[key]) for key in like}
    if isinstance(like, (list, tuple)):
        branches = [ordered(a, b) for a, b in zip(tree, like, strict=True)]
        if isinstance(like, list):
            return branches
        return type(like)(*branches) if hasattr(like, "_fields") else tuple(branches)
    if is_dataclass(like):
        branches = ordered(fields(tree), fields(like))
        new = copy.copy(like)
        for name, branch in branches.items():
            object.__setattr__(new, name, branch)  # also if it is frozen
        return new
    return tree


def traced(where: str, f: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """What f returns for these trees of parameters, its leaves as nodes."""
    if not callable(f):
        raise ArgumentError(
            f"{where}: expected a function, got {type(f).__name__} {f!r:.40}.",
            hint="Write a lambda or the name of a function, without calling it.",
        )
    with tracing(where):
        result = called(f, *arguments)
        return filled(result, [_as_result(where, leaf) for leaf in nodes_of(result)])


def _as_result(where: str, leaf: Any) -> Node:
    if isinstance(leaf, (str, bytes)) or callable(leaf):
        raise ArgumentError(
            f"{where}: the body returned {leaf!r:.40}, which isn't a number or an array.",
            hint="A body returns nodes, numbers, or lists, tuples and dicts of them.",
        )
    return as_node(leaf)


def strong(node: Node) -> Node:
    """The node, or a Python number in the dtype that it has on its own."""
    if node.weak is None:
        return node
    dtype = scalar_dtype(node.weak)
    if isinstance(node, Constant):
        return Constant(node.numpy(), dtype=dtype)
    return ops.cast(node, dtype)


def tracing(where: str) -> AbstractContextManager[None]:
    """The scope in which a body is traced."""
    return graph_scope(RegionGraph(where), hidden=True)


def lifted(
    where: str,
    bodies: Sequence[tuple[Sequence[Placeholder], Sequence[Node]]],
    began: int,
) -> tuple[list[Region], list[Node]]:
    """A region for each pair of parameters and results, and the nodes that they capture.

    Captures are parameters of all regions, after the others. `began` is the serial number from
    which on nodes are built in a body; older ones, Variables, and arrays of floats are captures.
    """
    own = {x for parameters, _ in bodies for x in parameters}

    def is_outer(node: Node) -> bool:
        if node in own:
            return False
        if type(node) is Item:  # is built when it is first read
            return is_outer(node.inputs[0])
        if isinstance(node, Constant):  # of a number in an expression, or older: a tensor, perhaps
            is_new = node.scalar is not None or node._serial >= began
            return not is_new or (node._value.size > _SMALL and node._differentiable)
        return node._serial < began or not isinstance(node, Operation)

    inner = [
        postorder(*results, inputs=lambda node: () if is_outer(node) else node.inputs)
        for _, results in bodies
    ]
    captures = list(dict.fromkeys(node for order in inner for node in order if is_outer(node)))
    regions: list[Region] = []
    for (parameters, results), order in zip(bodies, inner, strict=True):
        for node in order:  # of the expansion of a composite that was differentiated in the body
            if isinstance(node, Random) and not is_outer(node):
                raise RegionGraph(where).random(node)
        _check_drawn(where, order)
        region = Region((*parameters, *captures), tuple(results))  # pyright: ignore[reportArgumentType]
        region.__dict__["order"] = order
        if captures:
            forms = [form_of(x) for x in region.parameters]
            region = region.with_rule(lambda node, inputs: node.rewired(inputs), forms)
        regions.append(region)
    return regions, captures


def _check_drawn(where: str, order: Sequence[Node]) -> None:
    """Raise GraphError if a composite in the body draws random numbers."""
    stack = [node for node in order if isinstance(node, Composite)]
    seen: set[Node] = set(order)
    while stack:
        node = stack.pop()
        if all(x.shape is not None and None not in x.shape and x.dtype for x in node.inputs):
            for one in postorder(node.expansion, inputs=lambda x: () if x in seen else x.inputs):
                if isinstance(one, Random) and one not in seen:
                    raise RegionGraph(where).random(node)
                if isinstance(one, Composite) and one not in seen:
                    stack.append(one)
                seen.add(one)


def fresh_parameters(nodes: Sequence[Node]) -> list[Placeholder]:
    """A parameter for each node, of its shape and dtype, which counts in promotion."""
    return [parameter((x.shape, x.dtype, None), like=x) for x in nodes]


def start() -> int:
    """The serial number from which on nodes are built in a body that is traced now."""
    return next_serial()
