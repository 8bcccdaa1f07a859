"""Exports a lesson: the page's data of the graph, with cards to type on, questions and hints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ...dtypes import Array, is_complex, is_floating
from ...errors import GraphError, printable
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import MultipleOutputs, Operation
from ...graph.protocols.stand_in import node_of
from ...graph.regions.regional import Regional
from ...graph.traversal.order import postorder
from ...messages.checks import counted, flag, one_of, within
from ..drawing.layout.layered import layout
from ..names import is_named
from ..page.export import Export, Json, Options
from ..reading.mathematics.mathml import inline
from .cards import ROWS, is_literal, sizes_of
from .formulas import equation, rows_of
from .questions import Question, plain, questions
from .rules import chain_rule

LARGEST = 60  # the largest number of nodes of a lesson
ELEMENTS = 1024  # the largest number of elements of a node
THEMES = ("auto", "light", "dark")


class Exported:
    """The data of a lesson, and what its sheet needs: names, values, questions, derivatives."""

    def __init__(self, loss: Any, ask: Any, options: Mapping[str, Any]) -> None:
        self.loss = _scalar(loss)
        self.options = options
        _check(options)
        order = postorder(self.loss)
        for node in order:
            _accepted(node)
        if len(order) > LARGEST:
            raise GraphError(
                f"lesson: {_called(self.loss)} depends on {len(order)} nodes, more than the "
                f"{LARGEST} of a lesson.",
                hint="Make a lesson of a part of the graph, or look at the whole: pg.view(loss).",
            )
        page = Export(self.loss, Options(of=self.loss, feeds=options["feeds"]))
        self.order = page.order
        self.data: Json = page.data()
        self.nodes: list[Json] = self.data["nodes"]
        self.edges: list[Json] = self.data["edges"]
        self.result = page.first[self.loss]
        self._computed(page)
        self._named()
        self.totals = {page.first[node]: rows[0] for node, rows in page.totals.items()}
        reached = [place for place in self.totals if "g" in self.nodes[place]]
        self.questions = questions(ask, self.nodes, self.result, reached, self.alike)
        self.values = {
            place: page.values[node]
            for place, node in enumerate(self.order)
            if page.values[node] is not None
        }
        for question in self.questions:
            if not np.isfinite(self.answer(question)).all():
                raise GraphError(
                    f"lesson: the answer to {question.title} has a NaN or an infinity, which "
                    "nobody can type.",
                    hint="Give the leaves other values.",
                )

    def _computed(self, page: Export) -> None:
        """Refuse a graph with values that are unknown or that the page can't compute again."""
        for node, data in zip(self.order, self.nodes, strict=True):
            if page.values[node] is None:
                raise GraphError(
                    f"lesson: {_called(node)} has no value{node.built()}.",
                    hint="Give the placeholders values: pg.lesson(loss, ask, feeds={x: 1.5}).",
                )
            if "why" in data:
                raise GraphError(
                    f"lesson: {_called(node)} can't be checked in the page, as {data['why']}"
                    f"{node.built()}.",
                    hint="Make a lesson of the graph without it.",
                )
            if page.values[node].size > ELEMENTS:
                raise GraphError(
                    f"lesson: {_called(node)} has {counted(page.values[node].size, 'number')}, "
                    f"more than the {ELEMENTS} of a lesson{node.built()}.",
                    hint="Make a lesson of smaller arrays.",
                )
        _single(self.loss, page.values[self.loss].shape, page.values[self.loss].dtype)

    def _named(self) -> None:
        """Names that are unique when typed: those of several nodes get numbers, and unnamed
        operations are v₁, v₂, …, and L if last."""
        taken = {plain(node["n"]) for node in self.nodes if node["t"] != "constant"}
        alike: dict[str, list[int]] = {}
        count = 0
        for place, (node, data) in enumerate(zip(self.order, self.nodes, strict=True)):
            if isinstance(node, Constant) and node.scalar is not None:
                continue
            if not is_named(node, data["n"]):
                if place == self.result and "L" not in taken:
                    data["n"] = "L"
                elif place != self.result or node.inputs:
                    count += 1
                    while f"v{count}" in taken:
                        count += 1
                    data["n"] = f"v{_subscript(count)}"
            data["n"] = _typable(data["n"])
            alike.setdefault(plain(data["n"]), []).append(place)
        self.alike = {name: places for name, places in alike.items() if len(places) > 1}
        for places in self.alike.values():
            number = 1
            for place in places:
                base = self.nodes[place]["n"]
                while plain(f"{base}_{number}") in alike:
                    number += 1
                self.nodes[place]["n"] = f"{base}_{number}"
                alike[plain(f"{base}_{number}")] = [place]

    @property
    def title(self) -> str:
        """The heading."""
        loss = self.nodes[self.result]["n"]
        return printable(self.options["title"] or f"Derivatives of {loss}", 200)

    @cached_property
    def names(self) -> dict[Node, str]:
        """The name of each node on its card."""
        return {node: data["n"] for node, data in zip(self.order, self.nodes, strict=True)}

    def answer(self, question: Question) -> Array:
        """The numbers that answer a question, flat."""
        found = self.values if question.value else self.totals
        return np.ravel(found[question.place])

    def lines_of(self, place: int) -> list[list[str]]:
        """The lines of a card with the node's value, as cells; "?" if it is masked."""
        node = self.nodes[place]
        if is_literal(node):
            return []
        if place in self.masked():
            return [["?"]]
        shape: list[int] = node["sh"]
        if len(shape) > 2 or max(shape, default=1) > ROWS:
            return [[f"array {tuple(shape)}"]]
        return rows_of(self.values[place], shape)

    # ---------------------------------------------------------------- the data of the page

    def lesson(self) -> Json:
        """The data of the lesson's page."""
        for node in self.nodes:
            if "float" in (node["d"] or ""):
                node["d"] = "float64"  # what is typed is compared in double precision
        masked = self.masked()
        self._placed()
        for node in self.nodes:
            for unused in ("src", "by", "dead", "j", "tr"):
                node.pop(unused, None)
        kept = ("version", "size", "frames", "result", "nodes", "edges", "blocks", "formulas")
        return {
            **{name: self.data[name] for name in kept},
            "title": self.title,
            "masked": sorted(masked),
            "rate": self.options["learning_rate"],
            "questions": [self._asked(question) for question in self.questions],
            "notes": [],
        }

    def _asked(self, question: Question) -> Json:
        data: Json = {"place": question.place, "title": question.title}
        if question.value:
            data["value"] = 1
        else:
            data["rule"] = inline(rule) if (rule := self.rule(question)) else ""
        return data

    def rule(self, question: Question) -> str:
        """The chain rule that answers a question about a derivative, as LaTeX, or ""."""
        uses = [
            (node, edge["i"])
            for edge in self.edges
            if edge["a"] == question.place and edge["b"] in self.totals
            and isinstance(node := self.order[edge["b"]], Operation)
        ]  # fmt: skip
        users = [edge["b"] for edge in self.edges if edge["a"] == question.place]
        scalars = all(self.nodes[place]["sh"] == [] for place in [question.place, *users])
        known = {node: self.values[place] for place, node in enumerate(self.order)}
        node = self.order[question.place]
        return chain_rule(self.loss, node, uses, self.names, known, scalars)

    def masked(self) -> set[int]:
        """The operations whose values are hidden: those asked for and what depends on them, or
        all with values=False."""
        if not self.options["values"]:
            return {n for n, node in enumerate(self.nodes) if node["t"] == "operation"}
        found = {question.place for question in self.questions if question.value}
        for edge in sorted(self.edges, key=lambda edge: edge["b"]):
            if edge["a"] in found:
                found.add(edge["b"])
        return found

    def _placed(self) -> None:
        """Lay out the cards, larger than the page's: they show arrays and take answers."""
        formulas = [equation(node, self.names) for node in self.order]
        values = [self.lines_of(place) for place in range(len(self.nodes))]
        sizes = sizes_of(self.nodes, formulas, values, self.questions)
        drawn = layout(
            {node["k"]: size for node, size in zip(self.nodes, sizes, strict=True)},
            [(self.nodes[edge["a"]]["k"], self.nodes[edge["b"]]["k"]) for edge in self.edges],
            gap=26.0,
            rank_gap=44.0,
        )
        self.data["size"] = [round(drawn.width, 1), round(drawn.height, 1)]
        self.data["frames"] = {}
        for node, (w, h) in zip(self.nodes, sizes, strict=True):
            x, y = drawn.positions[node["k"]]
            node["p"], node["w"], node["h"] = [round(x, 1), round(y, 1)], w, h
        for edge, path in zip(self.edges, drawn.paths, strict=True):
            edge["q"] = [round(side, 1) for point in path for side in point]


def _typable(name: str) -> str:
    """A name that can be typed in a formula: other signs than letters and digits become _."""
    name = re.sub(r"[^\w₀-₉]|[ᵀ²³⁴]", "_", name)
    return f"_{name}" if name[0].isdigit() else name


def _subscript(number: int) -> str:
    return "".join(chr(0x2080 + int(digit)) for digit in str(number))


def _called(node: Node) -> str:
    return printable(node.label())


def _scalar(loss: Any) -> Node:
    """The loss as a node with a single real number. Raises GraphError."""
    loss = node_of(loss)
    if not isinstance(loss, Node):
        raise GraphError(
            f"lesson: the loss is a node, got {type(loss).__name__} {loss!r:.60}.",
            hint='Write pg.lesson(loss, ask=["∂L/∂a"]) with the node that is differentiated.',
        )
    if not isinstance(loss, Operation) or isinstance(loss, MultipleOutputs):
        raise GraphError(
            f"lesson: {_called(loss)} depends on nothing, so it has no derivatives{loss.built()}.",
            hint="Give the result of a computation.",
        )
    if loss.shape is not None and loss.dtype is not None:
        _single(loss, loss.shape, loss.dtype)
    return loss


def _single(loss: Node, shape: Any, dtype: Any) -> None:
    """Refuse a loss that isn't a single real number."""
    if shape != () or not is_floating(dtype):
        kind = "" if is_floating(dtype) else f" of {dtype}"
        raise GraphError(
            f"lesson: {_called(loss)} has shape {shape}{kind}; a lesson is on the derivatives of "
            f"a single real number{loss.built()}.",
            hint="Write pg.lesson(pg.sum(y), …) or pg.mean(y)." if shape != () else "",
        )


def _check(options: Mapping[str, Any]) -> None:
    within("lesson: learning_rate", options["learning_rate"], "(0, inf)", like=0.1)
    flag("lesson: values", options["values"])
    one_of("lesson: theme", options["theme"], THEMES)
    if options["title"] is not None and not isinstance(options["title"], str):
        raise GraphError(f"lesson: title is a text, got {options['title']!r:.60}.")


def _accepted(node: Node) -> None:
    """Refuse, by name, a node that a lesson can't show or compute."""
    for reason, hint in _reasons(node):
        raise GraphError(f"lesson: {_called(node)} {reason}{node.built()}.", hint=hint)


def _reasons(node: Node) -> Iterator[tuple[str, str]]:
    if isinstance(node, Regional):
        yield (
            "is a loop or branch, whose steps no card shows",
            "Write its steps as operations, or make a lesson of what one step computes.",
        )
    if isinstance(node, MultipleOutputs):
        yield (
            "has several outputs, which no card shows",
            "Make a lesson of a part of the graph without it.",
        )
    elif node.dtype is not None and is_complex(node.dtype):
        yield (
            "is complex; a lesson is on real numbers",
            "Write the real and the imaginary part as two nodes.",
        )
    elif node.shape is not None and any(side is None for side in node.shape):
        yield "has a shape that isn't known yet", "Give placeholders whole shapes."
