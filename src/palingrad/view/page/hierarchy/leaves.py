"""Leaves: each is in the innermost box that contains its consumers; many get a box of their own."""

from __future__ import annotations

from collections.abc import Sequence

from ....graph.leaves import Constant
from ...drawing.model import Item, Picture
from .box import Box, walk
from .folding import MOST, divide

FEW = 8  # leaves of a box beyond this number are put into a box of their own


def place_leaves(root: Box, shown: Picture) -> None:
    """Put each leaf into the innermost box that contains all its consumers of its phase."""
    items = shown.items
    around: dict[int, tuple[Box, ...]] = {}
    stack: list[tuple[Box, tuple[Box, ...]]] = [(root, (root,))]
    while stack:
        box, path = stack.pop()
        for part in box.content:
            if isinstance(part, int):
                around[part] = path
            else:
                stack.append((part, (*path, part)))
    number = {item.key: place for place, item in enumerate(items)}
    users: dict[int, list[int]] = {}
    for link in shown.links:
        users.setdefault(number[link.source], []).append(number[link.target])
    for place, item in enumerate(items):
        if item.kind == "operation":
            continue
        used = users.get(place, [])
        near = [user for user in used if items[user].role == item.role] or used
        path = around[near[0]] if near else (root,)
        for user in near[1:]:
            path = _shared(path, around[user])
        if item.kind == "placeholder" or (isinstance(item.node, Constant) and item.node.ndim):
            path = _outside(path, item.scope)
        path[-1].content.append(place)


def _shared(one: tuple[Box, ...], other: tuple[Box, ...]) -> tuple[Box, ...]:
    """The boxes around both."""
    return tuple(a for a, b in zip(one, other) if a is b)


def _outside(path: tuple[Box, ...], scope: tuple[str, ...]) -> tuple[Box, ...]:
    """The boxes around an input: its phase, and the scopes that it was built in."""
    kept = 0
    for depth, box in enumerate(path):
        if box.kind == "scope" and box.title not in scope:
            break
        if box.kind == "scope":
            scope = scope[scope.index(box.title) + 1 :]
        if box.kind in ("phase", "scope"):
            kept = depth + 1
    return path[:kept]


def gather_leaves(box: Box, items: Sequence[Item]) -> None:
    """Put many leaves of a box into boxes of their own: parameters, and constants."""
    places = [part for part in box.content if isinstance(part, int)]
    leaves = [part for part in places if items[part].kind in ("variable", "constant")]
    if box.kind == "leaves" or len(leaves) <= FEW or len(box.content) <= MOST:
        return
    for kind, title in (("variable", "Variables"), ("constant", "constants")):
        some = [part for part in leaves if items[part].kind == kind]
        if len(some) > 2:
            inner = Box(title, f"{len(some)} {title}", "leaves", list(some))
            taken = set(some)
            box.content = [inner, *(part for part in box.content if part not in taken)]
            for one in walk(inner):
                divide(one, None)
