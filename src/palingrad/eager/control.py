"""Loops and branches that are computed eagerly: their Programs, cached by the regions' structure.

A loop that is built again, with a body of the same operations, shapes and dtypes, runs the same
Program, whatever the values are that the body captures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dtypes import Array
from ..engines.selection import get_engine
from ..graph.context import graph_scope
from ..graph.kinds import AnonymousGraph
from ..graph.regions.region import form_of, parameter
from ..graph.regions.regional import Regional
from ..graph.registry import register
from ..passes.program import Program
from ..programs import Compiled, ProgramCache
from ..signature import hashable, settings

_PROGRAMS = 256  # the most recently used ones
_programs: ProgramCache[Compiled] = ProgramCache(_PROGRAMS)


@register
def regions_evaluated(node: Regional, values: Sequence[Array]) -> Any:
    """The results of a loop or branch for these values of its inputs."""
    engine = get_engine(None, observed=False, placed=False).name
    forms = tuple((value.shape, value.dtype) for value in values)
    key = type(node), hashable(node.attributes), forms, engine, settings()
    compiled = _programs.get(key) or _programs.make(key, lambda: _compiled(node, engine))
    with graph_scope(None, hidden=True, observed=False):
        return tuple(compiled(values))


def _compiled(node: Regional, engine: str) -> Compiled:
    with graph_scope(AnonymousGraph(), hidden=True, observed=False):
        feeds = tuple(parameter(form_of(x), like=x) for x in node.inputs)
        items = node.clone(feeds).items
        return Compiled(items, Program(feeds, items), engine)
