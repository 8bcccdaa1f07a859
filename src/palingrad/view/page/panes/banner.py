"""The banner of a fault: a NaN, an infinity or dead units, where they began, and a repaired run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ....autodiff.gradients import gradients
from ....errors import NonFiniteError, PalingradError
from ....graph.context import graph_scope, level_of
from ....graph.graph import Graph
from ....graph.leaves import Variable
from ....graph.node import Node
from ....ops.elementwise.activation import Relu
from ...nonfinite.debug_nans import diagnosed, gradient_of
from ...nonfinite.origin import NonFiniteOrigin, Values
from ...nonfinite.reasons import literal
from ...nonfinite.repair import Repair, repaired, revived
from ..float64_shadow import copies_of
from ..measure import dead_units

if TYPE_CHECKING:
    from ..export import Export, Options

LARGEST = 600  # nodes of the largest graph of which a repaired run is exported
EXAMPLES = 4  # the fewest examples in which a unit that is 0 counts as dead
ROUNDS = 4  # the largest number of rewrites of one graph
_NAMED = 6  # dead units that are named

Json = dict[str, Any]
Fault = tuple[NonFiniteError, NonFiniteOrigin]


def banner(export: Export) -> tuple[Json | None, Repair | None]:
    """What the banner says, and the repaired graph if a rewrite makes the run finite."""
    fault = _fault(export)
    if fault is not None:
        error, origin = fault
        place = _shown(export, origin)
        repair = _repair(export, fault)
        data: Json = {
            "kind": "nan", "text": str(error), "node": place, "element": list(error.element),
            "during": error.during,
        }  # fmt: skip
    else:
        dead = _dead(export)
        if dead is None:
            return None, None
        data, nodes = dead
        repair = revived(_roots(export) or [], nodes)
    if repair is not None:
        data["repair"] = repair.text
    return data, repair


def options_of(options: Options, repair: Repair, result: Node | None) -> Options:
    """The options of the page of the repaired graph: without other runs of the unrepaired one."""
    of = None
    if options.of is not None and result is not None:
        of = repair.roots[0] if len(repair.roots) == 1 else None
    return replace(options, of=of, overlay=None, compare=None, time=False, repairs=False, notes=[])


def _fault(export: Export) -> Fault | None:
    """The first fault in the results of a graph, or else in the gradients of its leaves, or else
    what the data hold."""
    order = export.order
    used = {x for node in order for x in node.inputs}
    ends = [(node, node.label()) for node in order if node not in used and node.inputs]

    def value(node: Node) -> Any:
        known = export.values.get(node)
        return node.value if known is None else known

    try:
        found = diagnosed(ends, value, order) or _in_gradients(export, value)
        return found or _given(ends, value)
    except PalingradError:  # a node of a loop's body whose value isn't known
        return None


def _given(ends: Sequence[tuple[Node, str]], value: Values) -> Fault | None:
    """The fault of a result that isn't finite because a leaf isn't; −∞ of a mask is none."""
    found = diagnosed(ends, value, inputs=True)
    return None if found is None or literal(found[1].node) else found


def _in_gradients(export: Export, value: Values) -> Fault | None:
    """The first fault in the gradients of the leaves, if one may not be finite.

    A deferred graph is differentiated on an eager copy, which has the values of the fed run.
    """
    result = export.result
    bad = any(not np.isfinite(total).all() for total in export.totals.values())
    if result is None or not bad:
        return None
    leaves = [node for node in export.totals if not node.inputs]
    leaves = [node for node in leaves if isinstance(node, Variable)] or leaves
    copied = result.deferred or bool(export.options.feeds)
    copies = copies_of(export.order, export.values) if copied else {}
    try:
        with graph_scope(None, hidden=True):
            found = gradients(copies.get(result, result), [copies.get(x, x) for x in leaves])
    except PalingradError:  # an operation without a derivative
        return None
    names = [(g, gradient_of(x)) for x, g in zip(leaves, found, strict=True)]
    around = [copies.get(node, node) for node in export.order]
    fault = diagnosed(names, value, around)
    return None if fault is None else _of_originals(fault, copies)


def _of_originals(fault: Fault, copies: Mapping[Node, Node]) -> Fault:
    """The fault, with the nodes that were copied in place of their copies."""
    error, origin = fault
    original = {copy: node for node, copy in copies.items()}
    trail = tuple((original.get(node, node), element) for node, element in origin.trail)
    order = list(dict.fromkeys(original.get(node, node) for node in origin.order))
    node = original.get(origin.node, origin.node)
    error.node = node
    return error, replace(origin, node=node, trail=trail, order=order)


def _shown(export: Export, origin: NonFiniteOrigin) -> int | None:
    """The page's node for the origin: itself, or the node whose derivative it belongs to."""
    if origin.node in export.first:
        return export.first[origin.node]
    for node in export.order:
        if level_of(origin.node._origin) and node._origin == origin.node._origin:
            return export.first[node]
    return next((export.first[node] for node, _ in origin.trail if node in export.first), None)


def _roots(export: Export) -> list[Node] | None:
    """The results to build again; None for a Program, whose updates can't be."""
    what = export.what
    if isinstance(what, Node):
        return [what]
    if isinstance(what, (list, tuple)):
        return list(what)
    if isinstance(what, Graph):
        used = {x for node in export.order for x in node.inputs}
        return [node for node in export.order if node not in used and node.inputs]
    return None


def _repair(export: Export, fault: Fault) -> Repair | None:
    """The graph after as many rewrites as it needs; None if it isn't finite even then."""
    roots = _roots(export)
    if roots is None or len(export.order) > LARGEST or not export.options.repairs:
        return None
    texts: list[str] = []
    found: Fault | None = fault
    for _ in range(ROUNDS):
        assert found is not None
        repair = repaired(roots, found[1])
        if repair is None:
            return None
        roots = repair.roots
        texts.append(repair.text)
        try:
            again = type(export)(
                _like(export.what, roots), options_of(export.options, repair, export.result)
            )
        except PalingradError:
            return None
        found = _fault(again)
        if found is None:
            return Repair(roots, "; ".join(dict.fromkeys(texts)), repair.replaced)
    return None


def _like(what: Any, roots: Sequence[Node]) -> Any:
    return roots[0] if isinstance(what, Node) else list(roots)


def _dead(export: Export) -> tuple[Json, list[Node]] | None:
    """The sentence about rectifiers with units that are 0 in every example, and these nodes."""
    found: list[tuple[Node, list[int], int]] = []
    for node in export.order:
        value = export.values[node]
        if type(node) is Relu and (dead_units(node, value) or 0) > 0:
            rows = value.reshape(-1, value.shape[-1])
            units = np.flatnonzero((rows <= 0).all(axis=0)).tolist()
            if len(rows) >= EXAMPLES:
                found.append((node, units, len(rows)))
    if not found:
        return None
    node, units, examples = max(found, key=lambda one: len(one[1]))
    place, one = export.first[node], len(units) == 1
    more = f" and {len(units) - _NAMED} more" if len(units) > _NAMED else ""
    text = (
        f"{len(units)} of {export.values[node].shape[-1]} units of {export.items[place].label} "
        f"{'is' if one else 'are'} 0 in all {examples} examples{node.built()}: "
        f"{'unit' if one else 'units'} {', '.join(map(str, units[:_NAMED]))}{more}. No gradient "
        "passes there. Try pg.leaky_relu(x), a smaller learning rate, or other initial values."
    )
    data: Json = {"kind": "dead", "text": text, "node": place, "element": units[:1]}
    return data, [one[0] for one in found]
