"""The items of what loops and branches hold: their regions, drawn as frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ...dtypes import is_boolean
from ...graph.node import Node
from ...graph.regions.region import Region
from ...graph.regions.regional import Regional
from ...ops.control.branch import Switch
from ...ops.control.loop import Loop
from ...ops.control.while_loop import WhileLoop
from ..names import is_named, names_of

_MARK = "\0"  # between a frame's title and what tells frames of one title apart


class Inner(NamedTuple):
    """A node of a region, as a drawing shows it."""

    key: str
    node: Node
    label: str
    scope: tuple[str, ...]


class Opened(NamedTuple):
    """What a drawing shows of a node's regions, in topological order.

    `edges` are (source, target, position), of keys. They begin at the node's operands and end at
    the node, whose inputs they replace.
    """

    inner: list[Inner]
    edges: list[tuple[str, str, int]]


def frame_title(part: str) -> str:
    """The title of the frame of a scope."""
    return part.partition(_MARK)[0]


def is_frame(part: str) -> bool:
    """Whether a scope is the frame of a region."""
    return _MARK in part


def opened(
    node: Regional, key: str, operands: Sequence[str], labels: Sequence[str | None],
    scope: tuple[str, ...],
) -> Opened:  # fmt: skip
    """The regions of a node with this key, whose operands have these keys and the user's names."""
    found = Opened([], [])
    chosen = len(node.inputs) - len(node.regions[0].parameters)  # 1 for a branch, else 0
    found.edges.extend((operands[place], key, place) for place in range(chosen))
    place = chosen
    for number, (region, title) in enumerate(zip(node.regions, _titles(node), strict=True)):
        frame = (*scope, f"{title}{_MARK}{key}")
        whole = not (isinstance(node, Switch) or title == "condition")
        start = f"{key}_{number}"
        keys = _region(
            node, region, start, operands[chosen:], labels[chosen:], frame, found, everything=whole
        )
        for result in region.results:
            found.edges.append((keys[result], key, place))
            place += 1
    return found


def _region(
    node: Regional, region: Region, start: str, operands: Sequence[str],
    labels: Sequence[str | None], scope: tuple[str, ...], found: Opened, *, everything: bool,
) -> Mapping[Node, str]:  # fmt: skip
    """Adds the items of a region; returns their keys."""
    read = {*region.order, *region.results}
    shown = names_of([*region.parameters, *(x for x in region.order if x.inputs)])
    keys: dict[Node, str] = {}
    names: dict[Node, str | None] = {}
    count = 0

    def add(x: Node, label: str) -> str:
        nonlocal count
        keys[x] = f"{start}_{count}"
        count += 1
        found.inner.append(Inner(keys[x], x, label, scope))
        return keys[x]

    for x, operand, outer, kind in zip(
        region.parameters, operands, labels, _kinds(node), strict=True
    ):
        names[x] = outer or (shown[id(x)] if is_named(x, shown[id(x)]) else None)
        label = names[x] or kind
        if x in read or everything:
            row = names[x] is not None and kind == "row"
            found.edges.append((operand, add(x, f"{label}[t]" if row else label), 0))
    for x in region.order:
        if x in keys:
            continue
        label = shown.get(id(x)) or names_of([x])[id(x)]
        names[x] = label if is_named(x, label) else None
        if isinstance(x, Regional):
            key = f"{start}_{count}"
            inner = opened(x, key, [keys[y] for y in x.inputs], [names[y] for y in x.inputs], scope)
            found.inner.extend(inner.inner)
            found.edges.extend(inner.edges)
            add(x, label)
        else:
            key = add(x, label)
            found.edges.extend((keys[y], key, place) for place, y in enumerate(x.inputs))
    return keys


def _titles(node: Regional) -> list[str]:
    """The titles of the frames of a node's regions."""
    if isinstance(node, Loop):
        length = node.attributes["length"]  # None in a template
        order = ", last first" if node.attributes["reverse"] else ""
        return [f"{node.kind_name()}, {'?' if length is None else length} steps{order}"]
    if isinstance(node, WhileLoop):
        most = node.attributes["max_steps"]
        return ["condition", "while" if most is None else f"while, at most {most} steps"]
    dtype = node.inputs[0].dtype
    if len(node.regions) == 2 and dtype is not None and is_boolean(dtype):
        return ["if false", "if true"]
    return [f"branch {number}" for number in range(len(node.regions))]


def _kinds(node: Regional) -> list[str]:
    """What a region's parameters are, for those without a name."""
    count = len(node.regions[0].parameters)
    if isinstance(node, Switch):
        return ["operand"] * count
    carries = node.attributes["carries"]
    slices = node.attributes["slices"] if isinstance(node, Loop) else 0
    captured = ["captured"] * (count - carries - slices)
    return [*["carry"] * carries, *["row"] * slices, *captured]


def count_of(order: Sequence[Node]) -> int:
    """The number of nodes in all regions of these nodes."""
    return sum(len(region.order) for node in _regional(order) for region in node.regions)


def _regional(order: Sequence[Node]) -> Iterator[Regional]:
    stack = [node for node in order if isinstance(node, Regional)]
    while stack:
        node = stack.pop()
        yield node
        stack += [x for region in node.regions for x in region.order if isinstance(x, Regional)]
