"""Carries of loops: converted to nodes, and checked after a step of the body."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...dtypes import promote
from ...errors import ArgumentError, DTypeError, ShapeError
from ...graph.node import Node
from ...graph.promotion import as_node, in_dtype
from ...graph.regions.tracing import nodes_of, ordered, same_structure, strong, tracing
from ...messages.checks import shown
from ...shapes import text
from ...trees import fields, is_dataclass


class Carries:
    """The first carries of a loop. Those given as Python numbers may take another dtype."""

    def __init__(self, nodes: list[Node], weak: list[bool]) -> None:
        self.nodes, self.weak = nodes, weak
        self.adapted = False  # whether a step changed the dtype of one


def initial(where: str, init: Any) -> Carries:
    """The leaves of the first carry as nodes."""
    nodes: list[Node] = []
    weak: list[bool] = []
    for leaf in nodes_of(init):
        if isinstance(leaf, (str, bytes)) or callable(leaf):
            raise ArgumentError(
                f"{where}: init holds {shown(leaf)}, which isn't a number or an array.",
                hint="A carry is arrays, or lists, tuples and dicts of them; what stays the same "
                "comes by the body's closure.",
            )
        node = as_node(leaf)
        weak.append(node.weak is not None)
        nodes.append(strong(node))
    return Carries(nodes, weak)


def checked_carries(where: str, init: Any, carries: Carries, carry: Any) -> list[Node]:
    """The leaves of the carry that a step returned, of the first carries' shapes and dtypes.

    Where a carry began as a Python number and became of another dtype, `carries` is adapted, and
    the body must be traced again.
    """
    carries.adapted = False
    if not same_structure(init, carry):
        raise ArgumentError(
            f"{where}: the body returned the carry {_form(carry)}, but it began as {_form(init)}.",
            hint="A carry keeps its structure: the same containers, with the same keys.",
        )
    results: list[Node] = []
    for number, (path, y) in enumerate(
        zip(paths(init), nodes_of(ordered(carry, init)), strict=True)
    ):
        x = carries.nodes[number]
        if y.weak is not None and x.dtype is not None:
            with tracing(where):
                y = in_dtype(y, x.dtype)
        if x.dtype is not None and y.dtype is not None and x.dtype != y.dtype:
            y = _adapted(where, path, carries, number, y)
        x = carries.nodes[number]
        if x.shape is not None and y.shape is not None and not _fits(x.shape, y.shape):
            raise ShapeError(
                f"{where}: {path} has shape {text(x.shape)} at the start and {text(y.shape)} "
                f"after a step{y.built()}.",
                hint=f"A carry keeps its shape: start with one of shape {text(y.shape)}, such as "
                f"np.zeros({text(y.shape)}), or make the result {text(x.shape)}.",
            )
        results.append(y)
    return results


def _fits(a: Sequence[int | None], b: Sequence[int | None]) -> bool:
    return len(a) == len(b) and all(m == n or None in (m, n) for m, n in zip(a, b, strict=True))


def _adapted(where: str, path: str, carries: Carries, number: int, y: Node) -> Node:
    x = carries.nodes[number]
    assert x.dtype is not None
    assert y.dtype is not None
    if carries.weak[number] and promote(x.dtype, y.dtype) == y.dtype:
        carries.nodes[number] = in_dtype(x, y.dtype)
        carries.adapted = True
        return y
    raise DTypeError(
        f"{where}: {path} is {x.dtype} at the start and {y.dtype} after a step{y.built()}.",
        hint=f"Start with {y.dtype}: pg.cast(…, {str(y.dtype)!r}); or return "
        f"pg.cast(…, {str(x.dtype)!r}).",
    )


def check_kept(carries: Sequence[Node], results: Sequence[Node]) -> None:
    """Raise ShapeError or DTypeError unless carries keep their shapes and dtypes."""
    for number, (x, y) in enumerate(zip(carries, results, strict=True)):
        if y.shape is None or None in y.shape:
            continue
        if x.shape != y.shape:
            raise ShapeError(
                f"carry {number} has shape {text(x.shape)} at the start and {text(y.shape)} "
                "after a step",
                hint="A carry keeps its shape: start with one of the shape that the body returns.",
            )
        if y.dtype is not None and x.dtype != y.dtype:
            raise DTypeError(
                f"carry {number} is {x.dtype} at the start and {y.dtype} after a step",
                hint=f"Start with {y.dtype}, or return pg.cast(c, {str(x.dtype)!r}).",
            )


def paths(tree: Any, root: str = "the carry") -> Iterator[str]:
    """For each leaf of a tree how it is reached: carry['h'][0].slope."""
    if isinstance(tree, dict):
        for key, branch in tree.items():
            yield from paths(branch, f"{root.removeprefix('the ')}[{key!r}]")
    elif isinstance(tree, (list, tuple)):
        for number, branch in enumerate(tree):
            yield from paths(branch, f"{root.removeprefix('the ')}[{number}]")
    elif is_dataclass(tree):
        for name, branch in fields(tree).items():
            yield from paths(branch, f"{root.removeprefix('the ')}.{name}")
    elif tree is not None:
        yield root


def _form(tree: Any) -> str:
    """The containers of a tree, for messages, with · for each leaf."""
    if isinstance(tree, dict):
        return f"{{{', '.join(f'{key!r}: {_form(branch)}' for key, branch in tree.items())}}}"
    if isinstance(tree, (list, tuple)):
        inner = ", ".join(map(_form, tree))
        return f"[{inner}]" if isinstance(tree, list) else f"({inner})"
    if is_dataclass(tree):
        found = {**fields(tree, static=True), **{n: _form(x) for n, x in fields(tree).items()}}
        return f"{type(tree).__name__}({', '.join(f'{name}={x}' for name, x in found.items())})"
    return "None" if tree is None else "·"
