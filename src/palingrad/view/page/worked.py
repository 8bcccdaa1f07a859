"""The chain rule of the page's nodes, worked out step by step, where it is short enough to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import PalingradError
from ...graph.leaves import Variable
from ...graph.node import Node
from ..reading.mathematics.derivation import derivation
from ..reading.mathematics.steps import Derivation

LARGEST = 250  # nodes of a graph beyond which there are none
STEPS = 40  # of a derivation that is shown
SIZE = 150_000  # characters for all of them


def worked(
    result: Node | None, order: Sequence[Node], wanted: Mapping[Node, Any], feeds: Any
) -> dict[int, str]:
    """By a node's place in `order` the derivation of the result by it, as HTML, Variables first, as
    far as there is room; `wanted` are the nodes that a gradient flows to."""
    found: dict[int, str] = {}
    if result is None or len(wanted) > LARGEST:
        return found
    left = SIZE
    nodes = [place for place, node in enumerate(order) if node in wanted and node is not result]
    for place in sorted(nodes, key=lambda place: _rank(order[place])):
        text = _steps(result, order[place], feeds)
        left -= len(text)
        if left < 0:
            break
        if text:
            found[place] = text
    return found


def _rank(node: Node) -> int:
    return 0 if isinstance(node, Variable) else 2 if node.inputs else 1


def _steps(result: Node, node: Node, feeds: Any) -> str:
    try:
        steps: Derivation = derivation(result, node, feeds=feeds)
    except PalingradError:
        return ""  # an operation without a rule that can be written, or a feed that isn't known
    return steps.html(title=False) if len(steps.steps) <= STEPS else ""
