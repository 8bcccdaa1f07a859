"""The boxes of phases, of name scopes, and of the updates of single Variables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ....graph.kinds import Assign
from ....graph.leaves import Variable
from ....graph.operation import MultipleOutputs
from ...drawing.model import Item, Picture
from .box import PHASES, Box, Kind

SHARED = 2  # uses in an optimizer's step above which a node belongs to all Variables
STEP = 4  # the least number of nodes of an optimizer's step that gets a box


def tree(items: Sequence[Item], large: bool, steps: Mapping[int, str]) -> Box:
    """The boxes of phases, name scopes and updates of one Variable each, with all operations
    (leaves follow later)."""
    root = Box("", "", "phase")
    roles = {item.role for item in items if item.kind == "operation"}
    step = sum(item.role == "update" for item in items)
    phased = {role for role in roles if len(roles) > 1 and (large or role == "update")}
    if step < STEP and not large:
        phased.discard("update")
    boxes: dict[tuple[str, ...], Box] = {(): root}
    for place, item in enumerate(items):
        if item.kind != "operation":
            continue
        inside = item.scope
        if item.role in phased:
            inside = (PHASES[item.role], *inside, *([steps[place]] if place in steps else ()))
        for depth in range(1, len(inside) + 1):
            path = inside[:depth]
            if path not in boxes:
                kind: Kind = "phase" if depth == 1 and item.role in phased else "scope"
                kind = "unit" if place in steps and depth == len(inside) else kind
                boxes[path] = Box(path[-1], path[-1], kind)
                boxes[path[:-1]].content.append(boxes[path])
        boxes[inside].content.append(place)
    for box in boxes.values():
        box.name = box.name.replace("|", "∣")  # separates paths in the page's address
    return root


def steps_of(shown: Picture) -> dict[int, str]:
    """For the operations that update one Variable: that Variable's name, made unique."""
    items = shown.items
    number = {item.key: place for place, item in enumerate(items)}
    inside = [
        n for n, item in enumerate(items) if item.role == "update" and item.kind == "operation"
    ]
    parent = {place: place for place in inside}

    def find(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    pairs = [(number[link.source], number[link.target]) for link in shown.links]
    uses = Counter(a for a, _ in pairs)
    for a, b in pairs:
        together = isinstance(items[b].node, MultipleOutputs)  # a group of assignments
        if a in parent and b in parent and uses[a] <= SHARED and not together:
            parent[find(b)] = find(a)
    names: dict[int, tuple[bool, str]] = {}
    for place in inside:
        item = items[place]
        variable = item.node.variable if isinstance(item.node, Assign) else item.node
        if isinstance(variable, Variable):
            label = (variable.trainable, item.label.removesuffix(" ←").split("/")[-1])
            names[find(place)] = max(names.get(find(place), label), label, key=lambda one: one[0])
    taken = Counter[str]()
    titles: dict[int, str] = {}
    for root, (_, name) in names.items():
        taken[name] += 1
        titles[root] = f"{name} ←" if taken[name] == 1 else f"{name} ← ({taken[name]})"
    return {place: titles[find(place)] for place in inside if find(place) in titles}
