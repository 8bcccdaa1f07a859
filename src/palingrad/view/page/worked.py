"""Step-by-step derivations for the page's nodes, where they are short enough to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import PalingradError
from ...graph.leaves import Variable
from ...graph.node import Node
from ..reading.mathematics.derivation import derivation
from ..reading.mathematics.steps import Derivation

LARGEST = 60  # the most nodes with gradients; of larger graphs the page derives what is asked for
STEPS = 40  # the largest number of steps of a derivation
SIZE = 150_000  # the largest number of characters of all derivations together


def worked(
    result: Node | None, order: Sequence[Node], wanted: Mapping[Node, Any], feeds: Any
) -> dict[int, str]:
    """Returns the derivation of ∂result/∂node as HTML, by the node's place in `order`.

    `wanted` are the nodes that the result depends on; Variables come first, until SIZE is reached.
    """
    texts: dict[int, str] = {}
    if result is None or len(wanted) > LARGEST:
        return texts
    left = SIZE
    nodes = [place for place, node in enumerate(order) if node in wanted and node is not result]
    for place in sorted(nodes, key=lambda place: _rank(order[place])):
        text = _steps(result, order[place], feeds)
        left -= len(text)
        if left < 0:
            break
        if text:
            texts[place] = text
    return texts


def _rank(node: Node) -> int:
    return 0 if isinstance(node, Variable) else 2 if node.inputs else 1


def _steps(result: Node, node: Node, feeds: Any) -> str:
    try:
        steps: Derivation = derivation(result, node, feeds=feeds)
    except PalingradError:
        return ""  # an operation has no rule that can be written, or a feed is missing
    return steps.html(title=False) if len(steps.steps) <= STEPS else ""
