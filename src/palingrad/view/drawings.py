"""`draw`: a picture of a graph, shown in a notebook or written in the format of the file suffix."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Literal
from xml.sax.saxutils import escape

from ..errors import GraphError, quoted
from ..files.atomic import write_atomically
from ..files.terminal import for_output
from ..graph.graph import Graph
from ..graph.node import Node
from ..graph.protocols.stand_in import node_of
from ..messages.calls import public
from ..messages.checks import did_you_mean
from ..passes.program import Program
from .drawing.canvas import Canvas
from .drawing.conventions import Convention, scene_of
from .drawing.folding import folded
from .drawing.formats.dot import dot
from .drawing.formats.mermaid import mermaid
from .drawing.formats.pdf import pdf
from .drawing.formats.png import png
from .drawing.formats.svg import svg
from .drawing.formats.text import written
from .drawing.granularity import Granularity, split
from .drawing.model import Picture, picture
from .drawing.network import layers_of
from .drawing.neurons import neurons
from .drawing.paint import painted
from .drawing.style import Style
from .page.show import write as write_page
from .simplified import simplified as simplify

INLINE = 400  # the largest number of nodes that a notebook draws by default


class Drawing:
    """A picture of a graph: notebooks display it, `save` writes it to a file."""

    def __init__(
        self,
        what: Any,
        shown: Picture,
        canvas: Callable[[], Canvas],
        style: Style,
        *,
        right: bool = False,
        values: bool | None = None,
    ) -> None:
        self.what, self.picture = what, shown
        self.simplified = True  # whether the page of it is
        self.style: Style = style
        self.right, self.values = right, values
        self._canvas = canvas
        self._painted: Canvas | None = None

    @property
    def canvas(self) -> Canvas:
        """The painted picture, computed on first use."""
        if self._painted is None:
            self._painted = self._canvas()
        return self._painted

    def svg(self) -> str:
        """The picture as the text of an SVG file."""
        return svg(self.canvas, style=self.style)

    def dot(self) -> str:
        """The picture in Graphviz's language."""
        return dot(self.picture, style=self.style, right=self.right, values=self.values)

    def mermaid(self) -> str:
        """The picture as a Mermaid flow chart."""
        return mermaid(self.picture, style=self.style, right=self.right, values=self.values)

    def text(self) -> str:
        """The picture as lines of text, one per item."""
        return for_output(written(self.picture))

    def save(self, path: Any) -> None:
        """Write the picture in the format of the path's suffix. Raises GraphError if unknown,
        WriteError if the file can't be written."""
        stem, ending = os.path.splitext(path)
        if ending.lower() not in _WRITERS:
            raise GraphError(
                f"draw: {quoted(os.path.basename(path))} ends in {ending or 'nothing'!r:.20}; a "
                f"picture is written as {', '.join(_WRITERS)}.",
                hint=f"Write {quoted((stem or 'graph') + '.svg')}.",
            )
        data = _WRITERS[ending.lower()](self, path)
        if data is not None:
            write_atomically(path, data)

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"Drawing({len(self.picture.items)} items, {len(self.picture.links)} links)"


@public
def draw(
    what: Any,
    path: Any = None,
    *,
    nodes: Convention | Literal["neurons"] = "operations",
    style: Style = "auto",
    direction: str = "down",
    values: bool | None = None,
    shapes: bool = True,
    backward: str = "beside",
    fold: bool | None = None,
    granularity: Granularity = "tensor",
    regions: bool | None = None,
    simplified: bool = True,
    title: str = "",
) -> Drawing:
    """Returns a picture of nodes and everything they depend on, of a Graph or of a Program.

    `path` also writes the picture to a file; its suffix selects the format: .svg, .png, .pdf,
    .html, .dot, .mmd or .txt.

    nodes: what a box is: "operations" (values flow on edges), "values" (operations label edges),
        "bipartite" (boxes for both), or "neurons": the neural network that ends in a node, one
        column per layer.
    granularity: one node per "tensor", per row ("vector") or per number ("scalar").
    direction: "down" or "right".
    backward: "beside" draws the backward pass upwards beside the forward pass; "below" draws both
        in one direction.
    values: show known values, gradients and local derivatives; by default in small pictures.
    shapes: label edges with shapes.
    fold: draw a run of equal blocks once, with their count; by default in large pictures.
    simplified: draw derivatives without what only the reverse pass needed; what you built stays
        as it is. False draws every node.
    regions: draw what loops and branches hold, in frames; by default in small pictures.
    style: "light", "dark", "print", or "auto", which follows the reader's screen.
    """
    _check(
        nodes=nodes, granularity=granularity, style=style, direction=direction, backward=backward
    )
    if granularity != "tensor":
        what, simplified = _split(what, granularity, simplified), False
    shown = picture(what, regions=regions, simplify=simplified)
    layers = layers_of(_only(what)) if nodes == "neurons" else []

    def canvas() -> Canvas:
        if nodes == "neurons":
            return neurons(layers, values=values)
        scene = scene_of(
            shown, nodes=nodes, values=values, shapes=shapes, beside=backward == "beside"
        )
        scene.title = title or f"Computational graph of {len(shown.items)} nodes"
        if fold or (fold is None and len(scene.boxes) > INLINE):
            scene = folded(scene)
        return painted(scene, right=direction == "right")

    drawing = Drawing(what, shown, canvas, style, right=direction == "right", values=values)
    drawing.simplified = simplified
    if path is not None:
        drawing.save(path)
    return drawing


_OPTIONS = {
    "nodes": ("operations", "values", "bipartite", "neurons"),
    "granularity": ("tensor", "vector", "scalar"),
    "style": ("auto", "light", "dark", "print"),
    "direction": ("down", "right"),
    "backward": ("beside", "below"),
}


def _check(**options: Any) -> None:
    for option, given in options.items():
        known = _OPTIONS[option]
        if given not in known:
            raise GraphError(
                f"draw: {option} is one of {', '.join(map(repr, known))}, got {given!r}.",
                hint=did_you_mean(given, known, quoted=True),
            )


def _split(what: Any, granularity: Granularity, simplified: bool) -> list[Node]:
    nodes = _nodes(what)
    simple = simplify(nodes) if simplified else None
    return split(nodes if simple is None else list(simple.roots), granularity)


def _nodes(what: Any) -> list[Node]:
    """The nodes to draw: the outputs of a Program, the sinks of a Graph, or the given nodes."""
    what = node_of(what)
    if isinstance(what, Program):
        return list(what.outputs)
    if isinstance(what, Graph):
        used = {id(x) for node in what.nodes for x in node.inputs}
        return [node for node in what.nodes if id(node) not in used and node.inputs]
    return [what] if isinstance(what, Node) else list(what)


def _only(what: Any) -> Node:
    nodes = _nodes(what)
    if len(nodes) != 1:
        raise GraphError(
            f"draw: nodes='neurons' draws a network with one output, got {len(nodes)} outputs.",
            hint='Draw the output node: y.draw("net.svg", nodes="neurons").',
        )
    return nodes[0]


def _page(drawing: Drawing, path: Any) -> None:
    write_page(drawing.what, path, simplified=drawing.simplified)


_WRITERS: dict[str, Callable[[Drawing, Any], str | bytes | None]] = {
    ".svg": lambda drawing, _: drawing.svg(),
    ".png": lambda drawing, _: png(drawing.canvas, style=drawing.style),
    ".pdf": lambda drawing, _: pdf(drawing.canvas, style=drawing.style),
    ".html": _page,
    ".dot": lambda drawing, _: drawing.dot(),
    ".mmd": lambda drawing, _: drawing.mermaid(),
    ".txt": lambda drawing, _: written(drawing.picture),
}


def svg_of(what: Any) -> str | None:
    """The SVG that a notebook displays; None for a single node or more than INLINE nodes."""
    drawing = draw(what)
    return drawing.svg() if 1 < len(drawing.picture.items) <= INLINE else None


def html_of(what: Any) -> str | None:
    """The HTML that a notebook displays: the node's `repr` above its SVG, or None as `svg_of`."""
    shown = svg_of(what)
    return None if shown is None else f"<pre>{escape(repr(what))}</pre>{shown}"
