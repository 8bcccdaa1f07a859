"""The gradients of a tape as nodes, for a transform inside another: `reverse` without its rules.

Where a structure has occurred before, the operations of its reverse pass are known. They are
computed one after another on the tape's nodes, so that an outer transform can differentiate them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..autodiff.gradients import is_bare
from ..engines.ufuncs import direct
from ..graph.context import context, opened
from ..graph.leaves import Constant
from ..graph.node import Node, next_serial
from ..graph.operation import Item, MultipleOutputs, Operation
from ..graph.state.observe import tell_computed, watching
from ..graph.traversal.order import postorder
from ..maths import numpy_maths
from .tapes import Structure, known, nodes_of, places_of


class _Steps:
    """The operations of a structure's reverse pass, each with its inputs' numbers."""

    def __init__(self, structure: Structure, targets: tuple[int, ...]) -> None:
        reached, self.feeds, fed, gradients = structure.nested(targets)
        ends = set(fed)
        order = postorder(*gradients, inputs=lambda node: () if node in ends else node.inputs)
        inner = [node for node in order if node not in ends]
        places: dict[Node, int] = {node: n for n, node in enumerate((*fed, *inner))}
        self.inner = [_step(node, tuple([places[x] for x in node.inputs])) for node in inner]
        self.results = dict(zip(reached, (places[node] for node in gradients), strict=True))
        several = [node for node in order if isinstance(node, MultipleOutputs)]
        self.can_be_replayed = all(node.of_nodes is not None for node in several)

    def replayed(self, order: Sequence[Node], y: Node) -> dict[int, Node]:
        """The gradients by place, for the nodes of a tape: see `Structure.nodes`."""
        new = object.__new__
        built: list[Any] = [order[place] for place in self.feeds]
        state = context()
        origin = state.origin or y._origin
        with np.errstate(all="ignore"):
            for template, function, inputs, state in self.inner:
                if function is None:
                    built.append(self._special(template, [built[n] for n in inputs], origin))
                    continue
                node: Any = new(type(template))
                if state:
                    node.__dict__.update(state)
                node.inputs = nodes = tuple([built[n] for n in inputs])
                node._serial = next_serial()
                node._origin = origin
                node._unlisted = True
                values = [x._value for x in nodes]
                if function is _evaluated:
                    node._value = node._evaluate(values)
                else:
                    node._value = node.seal(function(*values))
                if watching:
                    tell_computed(node)
                built.append(node)
        return {place: built[n] for place, n in self.results.items()}

    def _special(self, template: Node, nodes: list[Any], origin: Any) -> Any:
        """A constant, which is as old as the nodes that read it; the items of a rule that Python
        code computes, or one of them."""
        if isinstance(template, MultipleOutputs):
            with opened(hidden=True, origin=origin):
                return template.of_nodes(*nodes)
        if type(template) is Item:
            return nodes[0][template.attributes["index"]]
        return template if is_bare(template) else Constant.holding(template._value)


_REPLACED = frozenset("inputs _serial _origin _unlisted _name _unnamed _value".split())


def _step(
    node: Node, inputs: tuple[int, ...]
) -> tuple[Node, Callable[..., Any] | None, tuple[int, ...], dict[str, Any]]:
    """(node, the function of its inputs' values, its inputs' places, what all nodes of the
    operation have in common). There is no function for what isn't an operation with one output."""
    if not isinstance(node, Operation) or isinstance(node, (Item, MultipleOutputs)):
        return node, None, inputs, {}
    state = node.clone(node.inputs).__dict__
    attributes = {key: value for key, value in state.items() if key not in _REPLACED}
    if not node._plain:
        return node, _evaluated, inputs, attributes
    function = direct(node) or partial(node.f, numpy_maths, **node.attributes)
    return node, function, inputs, attributes


def _evaluated(*values: Any) -> Any:
    """Stands for the method of an operation whose value isn't its formula's."""
    raise AssertionError


_known: WeakKeyDictionary[Structure, dict[tuple[int, ...], _Steps]] = WeakKeyDictionary()


def _dependent(y: Node, leaves: Sequence[Node], since: int) -> tuple[list[Node], set[Node]]:
    """(the leaves and the nodes that depend on them, y last, with the inputs of each; those that
    aren't computed from them). Nodes older than `since` don't depend on the leaves."""
    order = nodes_of(y, since)
    active, outer = set(leaves), set(leaves)
    for node in order:
        if node._serial >= since and not active.isdisjoint(node.inputs):
            active.add(node)
            outer.update(node.inputs)
    inner = active.difference(leaves)
    outer -= inner
    return [node for node in order if node in inner or node in outer], outer


def nested(y: Node, leaves: Sequence[Node], since: int) -> list[Node | None] | None:
    """The gradients of the sum of y's elements with respect to some leaves, as nodes that depend on
    y's, and None where it is 0. Nodes older than `since` don't depend on the leaves. None if y's
    structure is new, or only the general pass can compute them."""
    if context().graph is not None:
        return None
    order, outer = _dependent(y, leaves, since)
    if not order or order[-1] is not y:
        return None
    tape = known(order, outer)
    if tape is None or tape.structure.variables:
        return None
    chosen = places_of(order, leaves)
    if chosen is None:
        return None
    passes = _known.setdefault(tape.structure, {})
    steps = passes.get(chosen)
    if steps is None:
        steps = passes[chosen] = _Steps(tape.structure, chosen)
    if not steps.can_be_replayed:
        return None
    found = steps.replayed(tape.structure.nodes(order), y)
    return [found.get(place) for place in chosen]
