"""The hierarchy of a large graph: nested boxes by phase, name scope, repetition and position.

A box contains boxes and nodes. The page opens with at most CARDS of them visible: the boxes that
are open from the start are chosen here, the reader opens the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...drawing.model import Picture
from .box import Box, is_step, walk
from .first_screen import CARDS, hoist, opened_at_first
from .folding import Folding, divide
from .leaves import gather_leaves, place_leaves
from .tree import steps_of, tree


@dataclass(frozen=True)
class Hierarchy:
    """The boxes around each item, outermost first, as names; facts and initial state of boxes."""

    paths: list[tuple[str, ...]]
    facts: dict[tuple[str, ...], dict[str, Any]]
    folded: list[tuple[str, ...]]  # the boxes that are closed at first
    next: list[tuple[str, ...]]  # of these the page opens the first ones, if there is space


def hierarchy(shown: Picture, result: int | None) -> Hierarchy:
    """Returns the boxes of a graph; `result` is the place of the node that stays visible."""
    items = shown.items
    large = len(items) > CARDS
    root = tree(items, large, steps_of(shown) if large else {})
    if large:
        folding = Folding(items, result)
        for box in reversed(list(walk(root))):  # inner ones first
            folding.fold(box)
        for box in walk(root):  # parts are walked as they are made
            divide(box, result)
    place_leaves(root, shown)
    if large:
        for box in list(walk(root)):
            gather_leaves(box, items)
        hoist(root, result)
    opened, following = opened_at_first(root, result) if large else (list(walk(root)), [])
    paths: list[tuple[str, ...]] = [()] * len(items)
    places: dict[Box, tuple[str, ...]] = {root: ()}
    for box in walk(root):
        for part in box.content:
            if isinstance(part, int):
                paths[part] = places[box]
            else:
                places[part] = (*places[box], part.name)
    del places[root]
    facts = {path: {"t": box.title, "k": box.kind, "n": box.count} for box, path in places.items()}
    shut = [box for box in places if box not in opened or is_step(box)]
    return Hierarchy(
        paths, facts, sorted(places[box] for box in shut), [places[box] for box in following]
    )
