"""The first screen: which boxes are open, so that the result is visible among few cards."""

from __future__ import annotations

from .box import PHASES, Box, walk

CARDS = 40  # the most boxes and nodes on the first screen; smaller graphs are shown whole
FEW = 8  # nodes of a backward pass or an update up to which it is opened
AIM = 26  # boxes are opened until so many are visible


def _chain(root: Box, place: int | None) -> list[Box]:
    """The boxes around a node, outermost first."""
    around: dict[int, Box] = {}
    holder = root
    for box in walk(root):
        for part in box.content:
            if isinstance(part, Box):
                around[id(part)] = box
            elif part == place:
                holder = box
    chain = [holder]
    while chain[-1] is not root:
        chain.append(around[id(chain[-1])])
    return chain[::-1]


def hoist(root: Box, result: int | None) -> None:
    """Move the result to the outermost box of its phase if too many cards would be visible."""
    chain = _chain(root, result)
    if sum(len(box.content) - 1 for box in chain) + 1 > CARDS and len(chain) > 1:
        chain[-1].content.remove(result)  # type: ignore[arg-type]
        outer = chain[1] if chain[1].kind == "phase" else root
        outer.content.append(result)  # type: ignore[arg-type]


def opened_at_first(root: Box, result: int | None) -> tuple[list[Box], list[Box]]:
    """The boxes that are open at first: those around the result. Then the boxes that the page opens
    in turn while there is space: of the forward pass, outer and large ones first, with at most AIM
    cards."""
    chain = _chain(root, result)
    following: list[Box] = []
    visible = sum(len(box.content) - 1 for box in chain) + 1
    size: dict[Box, int] = {}
    for box in reversed(list(walk(root))):
        size[box] = sum(size[part] if isinstance(part, Box) else 1 for part in box.content)
    closed = {PHASES["backward"], PHASES["update"]}
    waiting = [(0, inner) for box in chain for inner in box.boxes() if inner not in chain]
    while True:
        able = [
            (len(box.content) > 1, depth, -size[box], number)
            for number, (depth, box) in enumerate(waiting)
            if box.kind != "leaves" and (box.title not in closed or size[box] <= FEW)
            and visible - 1 + len(box.content) <= AIM
        ]  # fmt: skip
        if not able:
            return chain, following
        depth, box = waiting.pop(min(able)[-1])
        following.append(box)
        visible += len(box.content) - 1
        waiting += [(depth + 1, inner) for inner in box.boxes()]
