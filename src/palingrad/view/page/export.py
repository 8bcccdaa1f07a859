"""Exports everything that the page shows as one JSON dict: nodes, edges, blocks, overlays, runs."""

from __future__ import annotations

import linecache
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...dtypes import Array, is_complex
from ...errors import GradientError, GraphError, printable
from ...graph.graph import Graph
from ...graph.kinds import Assign
from ...graph.leaves import Constant, Variable
from ...graph.node import Node
from ...graph.operation import Item as OutputItem, MultipleOutputs, Operation
from ...graph.protocols.stand_in import node_of
from ...passes.program import Program
from ...version import __version__
from ..drawing.model import Item, Picture, picture
from ..names import described
from ..reading.mathematics.mathml import formula
from .arrays import WHOLE, Budget, cost, encoded, numbers, shortened, whole
from .blocks import Blocks
from .float64_shadow import flat, shadows_of, values_of
from .hierarchy import hierarchy
from .measure import attributes_of, bytes_of, dead_units, dtype_of, shape_of
from .opening.captions import Captions, product_entry
from .opening.cards import CARDS, card, size, thumbnail
from .overlays import overlays, runs
from .panes.banner import banner, options_of
from .panes.equations import called, equations
from .panes.spans import Sources
from .regions import regions
from .totals import CORNER, complex_totals, local, structure, takes_gradient, totals
from .worked import worked

Json = dict[str, Any]
_TITLE = 400  # characters
PULLED = 20_000  # edges whose local derivatives may be exported, if the page can't compute them
OTHERS = 0.4  # the share of the budget that other runs have
EFFORT = 100_000_000  # the largest number of elements processed for that


@dataclass
class Options:
    """The options of `pg.view`; see `show`."""

    of: Node | None = None
    feeds: Mapping[Any, Any] | None = None
    title: str | None = None
    overlay: Mapping[Any, float] | Mapping[str, Mapping[Any, float]] | None = None
    compare: Any = None
    time: bool = False
    budget: int = 8_000_000
    theme: str = "auto"
    simplified: bool = True  # whether derivatives among the nodes are shown simplified
    repairs: bool = True  # whether the page of a faulty run has the repaired one too
    notes: list[str] = field(default_factory=list[str])


class Export:
    """Computes the data of one page."""

    def __init__(self, what: Any, options: Options) -> None:
        self.what, self.options = what, options
        simplify = options.simplified and not isinstance(what, (Graph, Program))
        self.picture: Picture = picture(what, simplify=simplify)
        self.items = self.picture.items
        if not self.items:
            raise GraphError("view: the graph is empty.", hint="Build nodes in it first.")
        self.place = {item.key: place for place, item in enumerate(self.items)}
        self.order = [item.node for item in self.items if item.key.startswith("n")]
        self.first = {node: place for place, node in enumerate(self.order)}
        self.values = values_of(self.order, options.feeds)
        self.shadows = shadows_of(self.order, self.values)
        self.result = self._result()
        found, self._refusal = self._derivatives()
        self.totals = {  # not those by numbers in expressions
            node: total for node, total in found.items() if self._takes(node)
        }
        self.slopes = complex_totals(self.result, self.shadows) if not self._refusal else {}
        self.sources = Sources(self.order)
        self.blocks = Blocks()
        self.captions = Captions()
        self.budget = Budget(options.budget)
        self.formulas: dict[str, int] = {}
        self.effort = EFFORT
        self._known: dict[Node, tuple[list[int], int, int | str]] = {}

    # ---------------------------------------------------------------- the differentiated node

    def _result(self) -> Node | None:
        """The node to differentiate: `of`, or the last output of the forward pass, where scalars
        take precedence."""
        of: Any = self.options.of
        if of is not None:
            shown = self.shown(of) if isinstance(of, Node) else None
            if shown is None:
                which = f"{of.label()}{of.built()}" if isinstance(of, Node) else f"of={of!r:.60}"
                raise GraphError(f"view: {which} isn't a node of this graph")
            return shown
        if self.picture.counterparts:  # roots: what they are gradients of may not be shown
            last = [x for x in self._roots() if self._takes(x)]
            ends = [x for x in last if self.items[self.first[x]].role == "forward"] or last
        else:
            used = {link.source for link in self.picture.links if self._forward(link.target)}
            ends = [
                item.node
                for item in self.items
                if item.role == "forward" and item.key not in used and self._takes(item.node)
                and isinstance(item.node, Operation)
            ]  # fmt: skip
        single = [node for node in ends if self._size(node) == 1]
        return (single or ends or [None])[-1]

    def _roots(self) -> list[Node]:
        """The nodes that the page was asked for, as it shows them."""
        what = node_of(self.what)
        nodes: Sequence[Node] = [what] if isinstance(what, Node) else what
        return [shown for node in nodes if (shown := self.shown(node)) is not None]

    def _derivatives(self) -> tuple[dict[Node, Array], str]:
        """The result's derivatives, and a note if there are none."""
        if self.result is None:
            return {}, ""
        try:
            return totals(self.result, self.shadows), ""
        except GradientError as error:  # of an operation without a derivative
            return {}, f"No derivatives are shown: {error}."

    def _size(self, node: Node) -> int:
        """The number of elements of all outputs of the node; 0 if unknown."""
        value = self.values[node]
        return 0 if value is None else int(flat(value).size)

    def _forward(self, key: str) -> bool:
        return self.items[self.place[key]].role == "forward"

    def _takes(self, node: Node) -> bool:
        value = self.values[node]
        number = isinstance(node, Constant) and re.match(r"[−-]?\d", self._label(node))
        return not number and not isinstance(value, tuple) and takes_gradient(node, value)

    # ---------------------------------------------------------------- the data

    def data(self) -> Json:
        """Returns the page's data."""
        others = 0 if self.options.compare is None else int(OTHERS * self.budget.left)
        self.budget.left -= others
        self.kept = self.budget.chosen(self._wanted())
        nodes = [self._node(item) for item in self.items]
        edges = [self._edge(number) for number in range(len(self.picture.links))]
        boxes = hierarchy(self.picture, None if self.result is None else self.first[self.result])
        for node, path in zip(nodes, boxes.paths, strict=True):
            node["w"], node["h"] = size(node)
            if path:
                node["s"] = list(path)
        self.budget.left += others
        bodies, frames = regions(self, boxes.paths)
        return {
            "version": __version__,
            "title": printable(self.options.title or self._title(), _TITLE),
            "theme": self.options.theme,
            "boxes": {"/".join(path): facts for path, facts in (boxes.facts | frames).items()},
            "folded": ["/".join(path) for path in boxes.folded] + [one["path"] for one in bodies],
            "regions": bodies,
            "next": ["/".join(path) for path in boxes.next],
            "result": None if self.result is None else self.first[self.result],
            "nodes": nodes,
            "edges": edges,
            "blocks": self.blocks.table,
            "formulas": list(self.formulas),
            "captions": self.captions.table,
            **self._fault(),
            "files": self.sources.data(),
            "equations": equations(self.order, called(self.picture)),
            "worked": worked(self.result, self.order, self.totals, self.options.feeds),
            "overlays": overlays(self),
            "runs": runs(self),
            "notes": [*self.options.notes, *self._notes()],
        }

    def _fault(self) -> Json:
        """The banner of a fault, and the page of the repaired run."""
        shown, repair = banner(self)
        if shown is None or repair is None or not self.options.repairs:
            return {} if shown is None else {"banner": shown}
        what = repair.roots[0] if isinstance(self.what, Node) else repair.roots
        options = options_of(self.options, repair, self.result)
        return {"banner": shown, "repaired": Export(what, options).data()}

    def _wanted(self) -> Iterator[tuple[int, tuple[Node, str], Array]]:
        """All arrays with their ranks in the page's budget: the result and the parameters come
        first, then their gradients, then one path between them."""
        path = self._first_path()
        for node in self.order:
            value = self.values[node]
            trained = isinstance(node, Variable) and node.trainable and node in self.totals
            rank = 0 if node is self.result or trained else 2 if node in path else 3
            if value is not None and not is_complex(flat(value).dtype):
                yield rank, (node, "v"), flat(value)
            if node in self.totals:
                yield rank or 1, (node, "j"), self.totals[node]

    def _first_path(self) -> set[Node]:
        """The nodes on a path from the first leaf with a gradient to the result."""
        leaf = next((node for node in self.order if not node.inputs and node in self.totals), None)
        path: set[Node] = set()
        if leaf is not None:
            path.add(leaf)
            last = leaf
            for node in self.order[self.first[leaf] :]:
                if node in self.totals and any(x is last for x in node.inputs):
                    path.add(node)
                    last = node
        return path

    def at(self, node: Any) -> int:
        """The place of a node, given itself or its name. Raises GraphError if there is none."""
        if isinstance(node, Node) and (shown := self.shown(node)) is not None:
            return self.first[shown]
        for place, item in enumerate(self.items):
            if isinstance(node, str) and node in (item.label, item.key, item.node.name):
                return place
        raise GraphError(f"view: no node {node!r:.60} in this graph")

    def shown(self, node: Node) -> Node | None:
        """The node that the page shows for this one of the graph."""
        found = self.picture.counterparts.get(node, node)
        return found if found in self.first else None

    def _label(self, node: Node) -> str:
        return self.items[self.first[node]].label if node in self.first else ""

    def _title(self) -> str:
        if self.result is None:
            return f"{len(self.items)} nodes"
        item = self.items[self.first[self.result]]
        label = described(item.node, item.label)
        return f"{label} = {item.derivative}" if item.derivative else label

    def _notes(self) -> list[str]:
        refusal = [self._refusal] if self._refusal else []
        if not self.budget.cut:
            return refusal
        size = self.options.budget / 1e6
        return [
            *refusal,
            f"{self.budget.cut} arrays are shown as a summary and a slice, as the page's numbers "
            f"are limited to {size:g} MB. Increase budget= to show more.",
        ]

    def _node(self, item: Item) -> Json:
        node = item.node
        update = not item.key.startswith("n")
        value = None if update else self.values[node]
        data: Json = {
            "k": item.key, "n": item.label, "r": item.role, "t": item.kind,
            "o": "assign" if update else node.kind_name(),
            "d": dtype_of(node, value), "sh": shape_of(node, value),
        }  # fmt: skip
        if item.scope:
            data["sc"] = list(item.scope)
        if isinstance(node, Operation):
            data["m"] = self.formulas.setdefault(formula(node), len(self.formulas))
            if (caption := self.captions.of(node, self.values, self._label)) is not None:
                data["c"] = caption
            if plain := attributes_of(node):
                data["a"] = plain
        if isinstance(node, Variable) and node.trainable:
            data["tr"] = 1
        if isinstance(node, Assign) and (target := node.attributes["variable"]) in self.first:
            data["as"] = self.first[target]
        if (place := source(node)) is not None:
            data["src"] = place
        if (span := self.sources.spans.get(node)) is not None:
            data["sp"] = span
        if not update:
            self._numbers(data, node, value)
        return data

    def _numbers(self, data: Json, node: Node, value: Any) -> None:
        """Add the node's value, total derivative, block and overlay numbers."""
        if value is not None and not is_complex(flat(value).dtype):
            data["v"] = self._array(node, "v", flat(value))
            data["by"] = bytes_of(value)
            if (share := dead_units(node, value)) is not None:
                data["dead"] = share
        if isinstance(value, tuple):
            data["parts"] = [list(output.shape) for output in value]
        if self._takes(node):
            data["g"] = 1
        if node in self.totals:
            data["j"] = self._array(node, "j", self.totals[node])
        if value is not None and not isinstance(value, tuple) and is_complex(value.dtype):
            self._complex(data, node, value)
        if len(self.items) <= CARDS and value is not None:
            self._picture(data, node, flat(value))
        if isinstance(node, Operation) and not isinstance(node, Assign):
            block = self._sizes(node)[2]
            data["b" if isinstance(block, int) else "why"] = block
            if isinstance(block, str) and (sample := product_entry(node, self.values)) is not None:
                data["ex"] = sample
        elif isinstance(node, Assign):
            data["why"] = "an assignment takes effect at the end of the run"

    def _complex(self, data: Json, node: Node, value: Array) -> None:
        """Add the real and imaginary parts of a complex value and of its gradient."""
        data["by"] = bytes_of(value)
        for name, array in (("v", value), ("g", self.slopes.get(node))):
            if array is None or array.size > WHOLE:
                continue
            if self.budget.takes(2 * cost(array.real)):
                data.setdefault("z", {})[name] = [numbers(array.real), numbers(array.imag)]

    def _picture(self, data: Json, node: Node, value: Array) -> None:
        """Add what the node's card shows of its value and gradient: pictures of those that aren't
        exported whole."""
        total = self.totals.get(node)
        total = None if total is None or total.size != value.size else total
        shown = card(data, total is not None or "g" in data.get("z", ()))
        if shown is None:
            return
        data["pic"] = shown
        for name, array in (("v", value), ("j", total)):
            if array is None or "z" in data or not {"f", "b"}.isdisjoint(data[name]):
                continue
            small = thumbnail(array, shown)
            if small is not None and self.budget.takes(len(small["d"])):
                data[name]["p"] = small

    def _array(self, node: Node, which: str, array: Array) -> Json:
        return whole(array) if (node, which) in self.kept else shortened(array)

    def _edge(self, number: int) -> Json:
        link = self.picture.links[number]
        source_at, target_at = self.place[link.source], self.place[link.target]
        data: Json = {
            "a": source_at,
            "b": target_at,
            "i": link.position,
        }
        target = self.items[target_at].node
        if isinstance(target, Operation) and link.target.startswith("n"):
            self._derivative(data, target, link.position, number)
        return data

    def _sizes(self, node: Operation) -> tuple[list[int], int, int | str]:
        """The sizes of the node's inputs, its own size, and its block; computed once."""
        if node not in self._known:
            sizes = [self._size(x) for x in node.inputs]
            self._known[node] = sizes, self._size(node), self.blocks.of(node, self.values)
        return self._known[node]

    def _derivative(self, data: Json, target: Operation, position: int, number: int) -> None:
        """Add the edge's structure, and its local derivative if the page can't compute it."""
        sizes, out, block = self._sizes(target)
        data["st"] = structure(target, position, sizes, out)
        shadow = self.shadows.get(target)
        if not isinstance(shadow, Operation) or isinstance(target, (OutputItem, MultipleOutputs)):
            return
        if isinstance(block, int) or number > PULLED:
            return
        self.effort -= min(out, CORNER) * (sum(sizes) + out + 1000 * len(sizes))
        if self.effort < 0:
            return
        derivative = local(shadow, position)
        if derivative is not None:
            matrix, whole = derivative
            size = [out, sizes[position]]
            data["l"] = {"size": size, "whole": whole, "c": list(matrix.shape)}
            data["l"].update(encoded(matrix, self.budget))


# ---------------------------------------------------------------- pieces


def source(node: Node) -> list[Any] | None:
    """[file, line number, text] of the user's source line that built the node."""
    origin = node.origin
    if origin is None:
        return None
    text = linecache.getline(origin.file, origin.line).strip()
    return [os.path.basename(origin.file), origin.line, text]
