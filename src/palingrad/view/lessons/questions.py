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
    asked: Any,
    nodes: Sequence[Mapping[str, Any]],
    result: int,
    reached: Iterable[int],
    alike: Mapping[str, Sequence[int]],
) -> list[Question]:
    """The questions of a lesson on the result, whose gradients reach the nodes `reached`. `alike`
    has the nodes of each name that several nodes have.

    Raises GraphError for a text that is no question on this graph, or one on several nodes.
    """
    if not isinstance(asked, (list, tuple)) or not asked:
        example = [f"∂{nodes[result]['n']}/∂{nodes[_example(nodes, reached)]['n']}"]
        raise GraphError(
            f"lesson: ask is a list of questions, got {asked!r:.60}.",
            hint=f"Write ask={example!r}.",
        )
    whole = set(reached)
    found = [_question(one, nodes, result, whole, alike) for one in asked]
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
    text: Any,
    nodes: Sequence[Mapping[str, Any]],
    result: int,
    reached: set[int],
    alike: Mapping[str, Sequence[int]],
) -> Question:
    if not isinstance(text, str):
        raise GraphError(
            f"lesson: a question is a text, got {text!r:.60}.",
            hint=f'Write "∂{nodes[result]["n"]}/∂x" with the name of a node for x.',
        )
    names: dict[str, int] = {}
    for place, node in enumerate(nodes):
        names.setdefault(plain(node["n"]), place)
    loss = nodes[result]["n"]
    _unambiguous(text, text, loss, nodes, alike)
    if plain(text) in names:
        return _value(text, names[plain(text)], nodes)
    match = _PARTIAL.fullmatch(text)
    known = [f"∂{loss}/∂{nodes[place]['n']}" for place in sorted(reached - {result})]
    if match is None:
        raise GraphError(
            f"lesson: {quoted(text)} is no derivative ∂{loss}/∂x and no name of a node.",
            hint=did_you_mean(text, [*known, *names], quoted=True) or f"Ask for {_some(known)}.",
        )
    if plain(match["y"]) != plain(loss) and result not in alike.get(plain(match["y"]), ()):
        raise GraphError(
            f"lesson: {quoted(text)} differentiates {match['y']}, but this lesson is on {loss}.",
            hint=f"Ask for ∂{loss}/∂{match['x']}, or make a lesson on {match['y']}.",
        )
    _unambiguous(text, match["x"], loss, nodes, alike)
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


def _unambiguous(
    text: str, name: str, loss: str, nodes: Sequence[Mapping[str, Any]],
    alike: Mapping[str, Sequence[int]],
) -> None:  # fmt: skip
    """Refuse a name that several nodes have, with the names that their cards have."""
    if plain(name) not in alike:
        return
    places = alike[plain(name)]
    kinds = (f"{nodes[n]['n']} ({_kind(nodes[n])})" for n in places)
    asked = [f"∂{loss}/∂{nodes[n]['n']}" for n in places if nodes[n]["n"] != loss][:3]
    raise GraphError(
        f"lesson: {quoted(text)} is ambiguous: {counted(len(places), 'node')} are named {name}. "
        f"On the cards they are {', '.join(kinds)}.",
        hint=f"Ask for {' or '.join(asked)}, or give the nodes other names.",
    )


def _kind(node: Mapping[str, Any]) -> str:
    kind = node["o"] if node["t"] == "operation" else node["t"]
    file, line = (node.get("src") or [None, None])[:2]
    return f"{kind} at {file}:{line}" if file else kind


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
