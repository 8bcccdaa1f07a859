"""Which nodes are derivatives of what: ∂y/∂x, ∂²y/∂x²."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from ..graph.context import level_of, result_of, target_of
from ..graph.node import Node
from ..graph.traversal.order import postorder
from .names import is_named, names_of

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_DEEPEST = 9  # the largest order of a derivative that is written


class Derivative(NamedTuple):
    """∂ⁿy/∂x…: of y, by these nodes, the last of which was taken first."""

    y: Node
    by: tuple[Node, ...]


def derivatives_of(order: Sequence[Node]) -> dict[Node, Derivative]:
    """The nodes of `order` that are derivatives, each whole: terms that add up to one aren't."""
    terms = terms_in(order)
    found: dict[Node, Derivative] = {}
    for node in order:
        derivative = None if node in terms else _derivative(node)
        if derivative is not None:
            found[node] = derivative
    return found


def terms_in(order: Sequence[Node]) -> set[Node]:
    """The nodes of `order` that add up to a derivative with others."""
    return {x for node in order for x in node.inputs if _is_term(x, node)}


def _is_term(x: Node, total: Node) -> bool:
    """Whether x is a term of the cotangent `total`."""
    target = target_of(x._origin)
    return (
        target is not None
        and target is target_of(total._origin)
        and level_of(x._origin) == level_of(total._origin)
    )


def _derivative(node: Node) -> Derivative | None:
    by: list[Node] = []
    y = node
    while (target := target_of(y._origin)) is not None:
        result = result_of(y._origin)
        if result is None or len(by) >= _DEEPEST:
            return None
        by.append(target)
        y = result
    return Derivative(y, tuple(by)) if by else None


def names_in(
    derivatives: Mapping[Node, Derivative],
    names: Mapping[int, str],
    *,
    spelled: Callable[[str], str] = str,
) -> dict[Node, tuple[str, list[str]]]:
    """The name of y, and of each x, of derivatives whose y and x have names.

    `names` are those of the nodes that are shown, `spelled` writes the names of others. The one
    result without a name is called y, or the first of z, r, s that none of the nodes behind it is.
    """
    known = dict(names)
    asked = {
        node: None
        for derivative in derivatives.values()
        for node in (derivative.y, *derivative.by)
        if id(node) not in known
    }
    others = names_of(list(asked))
    known.update({key: spelled(name) for key, name in others.items()})
    unnamed = {
        derivative.y for derivative in derivatives.values() if _unnamed(derivative.y, known, others)
    }
    if len(unnamed) == 1:
        (result,) = unnamed
        taken = {*known.values(), *names_of(list(postorder(result))).values()}
        free = next((letter for letter in "yzrs" if letter not in taken), None)
        if free is not None:
            known[id(unnamed.pop())] = free
    unnamed.update(
        x
        for derivative in derivatives.values()
        for x in derivative.by
        if _unnamed(x, known, others)
    )
    return {
        node: (known[id(y)], [known[id(x)] for x in by])
        for node, (y, by) in derivatives.items()
        if not unnamed.intersection((y, *by))
    }


def _unnamed(node: Node, known: Mapping[int, str], others: Mapping[int, str]) -> bool:
    name = others.get(id(node)) or known[id(node)]
    return bool(node.inputs) and (not is_named(node, name) or name.startswith("∂"))


def as_text(y: str, by: Sequence[str]) -> str:
    """∂²y/∂x²."""
    below = "".join(f"∂{name}{_power(len(list(same)))}" for name, same in groupby(by))
    return f"∂{_power(len(by))}{y}/{below}"


def _power(count: int) -> str:
    return "" if count == 1 else str(count).translate(_RAISED)


def as_latex(y: str, by: Sequence[str]) -> str:
    r"""\frac{\partial^2 y}{\partial x^2}."""
    below = r"\,".join(
        rf"\partial {name}" + (f"^{count}" if (count := len(list(same))) > 1 else "")
        for name, same in groupby(by)
    )
    above = rf"\partial {y}" if len(by) == 1 else rf"\partial^{len(by)}{y}"
    return rf"\frac{{{above}}}{{{below}}}"
