"""Questions: what a lesson asks, from texts such as "∂L/∂a" and "h"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import GraphError, quoted
from ...messages.checks import counted, did_you_mean

_PARTIAL = re.compile(r"\s*[∂d]\s*(?P<y>.+?)\s*/\s*[∂d]\s*(?P<x>.+?)\s*")
LARGEST = 64  # the largest number of elements of an answer, which is typed or written by hand


@dataclass(frozen=True)
class Question:
    """∂result/∂node of the node with number `place`, or with `value` the node's own value."""

    place: int
    title: str
    value: bool = False


def questions(
    asked: Any, nodes: Sequence[Mapping[str, Any]], result: int, reached: Iterable[int]
) -> list[Question]:
    """The questions of a lesson on the result, whose gradients reach the nodes `reached`.

    Raises GraphError for a text that is no question on this graph.
    """
    if not isinstance(asked, (list, tuple)) or not asked:
        example = [f"∂{nodes[result]['n']}/∂{nodes[_example(nodes, reached)]['n']}"]
        raise GraphError(
            f"lesson: ask is a list of questions, got {asked!r:.60}.",
            hint=f"Write ask={example!r}.",
        )
    whole = set(reached)
    found = [_question(one, nodes, result, whole) for one in asked]
    for n, question in enumerate(found):
        if question in found[:n]:
            raise GraphError(f"lesson: {question.title} is asked twice.", hint="Ask it once.")
    return found


def _example(nodes: Sequence[Mapping[str, Any]], reached: Iterable[int]) -> int:
    """A node to ask for in an example: the first Variable, or the first node."""
    places = sorted(reached)
    variables = [place for place in places if nodes[place]["t"] == "variable"]
    return (variables or places or [0])[0]


def _question(
    text: Any, nodes: Sequence[Mapping[str, Any]], result: int, reached: set[int]
) -> Question:
    if not isinstance(text, str):
        raise GraphError(
            f"lesson: a question is a text, got {text!r:.60}.",
            hint=f'Write "∂{nodes[result]["n"]}/∂x" with the name of a node for x.',
        )
    names: dict[str, int] = {}
    for place, node in enumerate(nodes):
        names.setdefault(plain(node["n"]), place)
    if plain(text) in names:
        return _value(text, names[plain(text)], nodes)
    loss = nodes[result]["n"]
    match = _PARTIAL.fullmatch(text)
    known = [f"∂{loss}/∂{nodes[place]['n']}" for place in sorted(reached - {result})]
    if match is None:
        raise GraphError(
            f"lesson: {quoted(text)} is no derivative ∂{loss}/∂x and no name of a node.",
            hint=did_you_mean(text, [*known, *names], quoted=True) or f"Ask for {_some(known)}.",
        )
    if plain(match["y"]) != plain(loss):
        raise GraphError(
            f"lesson: {quoted(text)} differentiates {match['y']}, but this lesson is on {loss}.",
            hint=f"Ask for ∂{loss}/∂{match['x']}, or make a lesson on {match['y']}.",
        )
    if plain(match["x"]) not in names:
        raise GraphError(
            f"lesson: no node is named {quoted(match['x'])}.",
            hint=did_you_mean(f"∂{loss}/∂{match['x']}", known, quoted=True)
            or f"Ask for {_some(known)}.",
        )
    place = names[plain(match["x"])]
    title = f"∂{loss}/∂{nodes[place]['n']}"
    if place not in reached:
        raise GraphError(
            f"lesson: {loss} has no derivative by {nodes[place]['n']}.",
            hint=f"Ask for {_some(known)}.",
        )
    if place == result:
        raise GraphError(f"lesson: {title} is 1 in every graph.", hint=f"Ask for {_some(known)}.")
    _typed(title, nodes[place])
    return Question(place, title)


def _value(text: str, place: int, nodes: Sequence[Mapping[str, Any]]) -> Question:
    node = nodes[place]
    if node["t"] != "operation":
        raise GraphError(
            f"lesson: {quoted(text)} is given, so its value can't be asked for.",
            hint="Ask for the value of an operation, or for a derivative.",
        )
    _typed(node["n"], node)
    return Question(place, node["n"], value=True)


def _typed(title: str, node: Mapping[str, Any]) -> None:
    size = 1
    for side in node["sh"]:
        size *= side
    if not size:
        raise GraphError(
            f"lesson: {title} has no elements.", hint="Ask for a derivative that has numbers."
        )
    if size > LARGEST:
        raise GraphError(
            f"lesson: {title} has {counted(size, 'number')}, more than the {LARGEST} that an "
            "answer may have.",
            hint="Make a lesson of smaller arrays.",
        )


def _some(known: Sequence[str]) -> str:
    return ", ".join(known[:6]) + (", …" if len(known) > 6 else "")


def plain(name: str) -> str:
    """A name without what may be typed in another way: h₁, h_1 and h1 are one name."""
    return re.sub(r"_(?=\d+$)", "", unicodedata.normalize("NFKC", name).strip())
