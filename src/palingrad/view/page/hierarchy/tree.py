"""The boxes of phases, of name scopes, and of the updates of single Variables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ....graph.kinds import Assign
from ....graph.leaves import Variable
from ....graph.node import Node
from ....graph.operation import MultipleOutputs
from ...drawing.model import Item, Picture
from .box import PHASES, Box, Kind

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
    """For the operations that update one Variable: that Variable's name, made unique. Those that
    several updates read, such as the number of the step, belong to none."""
    items = shown.items
    number = {item.key: place for place, item in enumerate(items)}
    inside = [
        n for n, item in enumerate(items) if item.role == "update" and item.kind == "operation"
    ]
    assigned = {
        n: variable for n in inside if (variable := _assigned(items[n].node)) is not None
    }  # fmt: skip
    trained = [n for n, variable in assigned.items() if variable.trainable]
    owner: dict[int, int] = {n: n for n in trained or assigned}
    inputs: dict[int, list[int]] = {n: [] for n in inside}
    for link in shown.links:
        source, target = number[link.source], number[link.target]
        together = isinstance(items[target].node, MultipleOutputs)  # a group of assignments
        if source in inputs and target in inputs and not together:
            inputs[target].append(source)
    for target in reversed(inside):  # what an update reads
        for source in inputs[target] if target in owner else ():
            owner[source] = _joined(owner.get(source), owner[target])
    for target in inside:  # the assignments of what an update computes, such as averages
        if target not in owner:
            for source in inputs[target]:
                owner[target] = _joined(owner.get(target), owner.get(source, _SEVERAL))
    names = {n: items[n].label.removesuffix(" ←").split("/")[-1] for n in trained or assigned}
    taken = Counter[str]()
    titles: dict[int, str] = {}
    for root, name in names.items():
        taken[name] += 1
        titles[root] = f"{name} ←" if taken[name] == 1 else f"{name} ← ({taken[name]})"
    return {n: titles[owner[n]] for n in inside if owner.get(n, _SEVERAL) in titles}


_SEVERAL = -1  # in place of the one update that an operation belongs to


def _assigned(node: Node) -> Variable | None:
    variable = node.variable if isinstance(node, Assign) else node
    return variable if isinstance(variable, Variable) else None


def _joined(one: int | None, other: int) -> int:
    return other if one in (None, other) else _SEVERAL
