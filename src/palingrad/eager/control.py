"""Loops and branches that are computed eagerly: their Programs, cached by the regions' structure.

A loop that is built again, with a body of the same operations, shapes and dtypes, runs the same
Program, whatever the values are that the body captures. Once a loop has been differentiated in
reverse mode, those like it keep what the reverse pass reads of their steps, which needn't be taken
again.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from numpy.linalg import LinAlgError

from ..dtypes import Array
from ..engines.selection import get_engine
from ..errors import PalingradError
from ..graph.context import graph_scope
from ..graph.kinds import AnonymousGraph
from ..graph.node import Node
from ..graph.regions.region import form_of, parameter
from ..graph.regions.regional import Regional
from ..graph.registry import register
from ..graph.state.observe import watching
from ..ops.control.loop import Loop
from ..passes.program import Program
from ..programs import Compiled, ProgramCache
from ..shapes import size
from ..signature import hashable, settings
from .results import all_items

_PROGRAMS = 256  # the most recently used ones
_programs: ProgramCache[Compiled] = ProgramCache(_PROGRAMS)


_MOST_KEPT = 2**28  # bytes that a loop keeps for its reverse pass; else the steps are taken again
_read_back: dict[Hashable, frozenset[int]] = {}  # by loops, the places of what is read of the body


@register
def regions_evaluated(node: Regional, values: Sequence[Array]) -> Any:
    """The results of a loop or branch for these values of its inputs."""
    engine = get_engine(None, observed=False, placed=False).name
    forms = tuple((value.shape, value.dtype) for value in values)
    parts = type(node), hashable(node.attributes), settings()
    read = _read_back.get(parts)
    kept = _kept(node, read, values) if read and type(node) is Loop else ()
    key = *parts, forms, engine, read if kept else None
    known = _programs.get(key)
    compiled = known or _programs.make(key, lambda: _compiled(node, engine, kept))
    with graph_scope(None, hidden=True, observed=False):
        try:
            results = tuple(compiled(values))
        except (PalingradError, LinAlgError):
            if known is not None:  # of an equal node: the error names the lines of that
                _compiled(node, engine, ())(values)
            raise
    if kept and isinstance(node, Loop):
        node.keep(kept, [stack for stack in results[node.count :] if stack is not None])
    return results[: node.count]


def _compiled(node: Regional, engine: str, kept: Sequence[int]) -> Compiled:
    with graph_scope(AnonymousGraph(), hidden=True, observed=False):
        feeds = tuple(parameter(form_of(x), like=x) for x in node.inputs)
        new = node.clone(feeds)
        if isinstance(new, Loop):
            new.keep(kept)
        items = all_items(new)
        return Compiled(items, Program(feeds, items), engine)


@register
def keep_from_now_on(y: Loop, nodes: Sequence[Node]) -> None:
    """Remember that the reverse pass of loops like y reads these nodes of the body."""
    places = {x: place for place, x in enumerate(y.body.nodes)}
    if all(x in places for x in nodes):  # but for items that were made since
        key = Loop, hashable(y.attributes), settings()
        before = _read_back.pop(key, frozenset())
        while len(_read_back) >= _PROGRAMS:
            _read_back.pop(next(iter(_read_back)), None)  # the oldest
        _read_back[key] = before.union(places[x] for x in nodes)


def _kept(y: Loop, read: frozenset[int], values: Sequence[Array]) -> tuple[int, ...]:
    """The places of what y, which is being computed, keeps of its body in all steps."""
    if watching or y._value is not None:
        return ()
    if any(x._value is not value for x, value in zip(y.inputs, values, strict=True)):
        return ()
    kept = tuple(sorted(read))
    nodes = [y.body.nodes[place] for place in kept]
    each = sum(size(x.shape) * x.dtype.itemsize for x in nodes if x.dtype is not None)
    return kept if y.attributes["length"] * each <= _MOST_KEPT else ()
