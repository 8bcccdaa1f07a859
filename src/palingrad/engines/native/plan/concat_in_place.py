"""Concatenation in place: a kernel writes a value that is only a piece of a concatenation directly
to the joined buffer, if every kernel that reads the piece can read it with that buffer's strides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from ....graph.node import Node
from ....passes.program import Program
from ..kernels.family import Group
from ..kernels.movement.concat import CONCATENATION, pieces
from ..llvm.strided_view import View, row_major
from .groups import Groups


def place_pieces(program: Program, groups: Groups, updated: Collection[Node]) -> None:
    """Changes the views of pieces to parts of their joined buffers. `updated` are the values that
    are written over a Variable's and therefore can't be written in pieces."""
    joins = [
        group
        for group in groups.listed
        if group.family is CONCATENATION and group.first not in updated
    ]
    if not joins:
        return
    views = groups.views
    results = {views[x].base for x in program.roots if x in views}
    readers: dict[Node, list[Group]] = {}
    shown: dict[Node, list[Node]] = {}
    for group in groups.listed:
        for x in group.needs(views):
            if x in views:
                readers.setdefault(views[x].base, []).append(group)
    for node, view in views.items():
        shown.setdefault(view.base, []).append(node)
    # A joined buffer may be a piece of a later one, which then has its place first.
    for join in reversed(joins):
        for x, place in zip(join.first.inputs, pieces(join.first, views[join.first]), strict=True):
            base = views[x].base
            producer = groups.producer.get(base)
            if base in results or producer is None or base is place.base:
                continue
            if not producer.family.writes_any_strides(producer, base) or not all(
                reader.family.reads_any_strides for reader in readers[base]
            ):
                continue
            if views[x].plain and views[base].plain and place.strides == row_major(place.shape):
                for node in shown[base]:  # one run of elements, whatever their axes
                    offset = views[node].offset + place.offset
                    views[node] = replace(views[node], base=place.base, offset=offset)
            elif all(_is_all_of(views[node], views[base]) for node in shown[base]):
                pairs = zip(_axes(views[x]), _axes(place), strict=True)
                steps = {old: new for (_, old), (_, new) in pairs}
                if _axes(views[x]) != _axes(views[base]) and steps.get(1) != 1:
                    continue  # turned, it would be written number by number
                for node in shown[base]:
                    views[node] = _seen_at(place, views[node], steps)
            else:
                continue
            shown[place.base] += shown.pop(base)
            readers.setdefault(place.base, []).extend(readers.pop(base))


def _is_all_of(view: View, base: View) -> bool:
    """Whether the view shows all of its base, with its axes in any order, apart from axes of size
    1."""
    return view.offset == 0 and sorted(_axes(view)) == sorted(_axes(base))


def _axes(view: View) -> list[tuple[int, int]]:
    return [(n, step) for n, step in zip(view.shape, view.strides, strict=True) if n != 1]


def _seen_at(place: View, view: View, steps: Mapping[int, int]) -> View:
    """The view with its elements moved to `place`; `steps` are the new strides by the old ones,
    which differ from axis to axis apart from size 1."""
    strides = tuple(
        0 if n == 1 else steps[step] for n, step in zip(view.shape, view.strides, strict=True)
    )
    return replace(view, base=place.base, strides=strides, offset=place.offset)
