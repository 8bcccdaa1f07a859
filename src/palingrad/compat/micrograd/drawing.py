"""trace and draw_dot, as micrograd's notebook names them."""

from __future__ import annotations

from typing import Any

from ...messages.checks import one_of
from ...scalars.scalar import Scalar
from ...view.drawings import Drawing, draw


def trace(root: Scalar) -> tuple[set[Scalar], set[tuple[Scalar, Scalar]]]:
    """All numbers that `root` depends on, with itself, and the edges between them."""
    nodes: set[Scalar] = {root}
    edges: set[tuple[Scalar, Scalar]] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        for operand in node.operands:
            edges.add((operand, node))
            if operand not in nodes:
                nodes.add(operand)
                stack.append(operand)
    return nodes, edges


class Dot:
    """A drawing with the methods of graphviz's Digraph that notebooks use."""

    def __init__(self, drawing: Drawing, format: str) -> None:
        self.drawing, self.format = drawing, format

    def _repr_svg_(self) -> str:
        return self.drawing._repr_svg_()

    def render(self, filename: Any = "Digraph", **_: Any) -> str:
        """Writes the picture to `filename.format`; returns that path."""
        path = f"{filename}.{self.format}"
        self.drawing.save(path)
        return path


def draw_dot(root: Scalar, format: str = "svg", rankdir: str = "LR") -> Dot:
    """A picture of the graph that ends in `root`: every number and, after `root.backward()`, every
    gradient. `format` is svg, png, pdf or dot; `rankdir` LR (left to right) or TB."""
    one_of("draw_dot: rankdir", rankdir, ("LR", "TB"))
    one_of("draw_dot: format", format, ("svg", "png", "pdf", "dot"))
    node = root.__palingrad_node__
    if root.grad:
        node.backward()
    direction = "right" if rankdir == "LR" else "down"
    return Dot(draw(node, direction=direction, values=True), format)
