"""The gradients of a tape as nodes, for a transform inside another: `reverse` without its rules.

Where a structure has occurred before, the operations of its reverse pass are known. They are
computed one after another on the tape's nodes, so that an outer transform can differentiate them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..autodiff.gradients import is_bare
from ..graph.context import context
from ..graph.leaves import Constant
from ..graph.node import Node, next_serial
from ..graph.operation import Item, MultipleOutputs, Operation
from ..graph.state.observe import tell_computed, watching
from ..graph.traversal.order import postorder
from ..maths import numpy_maths
from .tapes import Structure, known, nodes_of


class _Steps:
    """The operations of a structure's reverse pass, each with its inputs' numbers."""

    def __init__(self, structure: Structure, targets: tuple[int, ...]) -> None:
        reached, self.feeds, fed, gradients = structure.nested(targets)
        ends = set(fed)
        order = postorder(*gradients, inputs=lambda node: () if node in ends else node.inputs)
        inner = [node for node in order if node not in ends]
        places: dict[Node, int] = {node: n for n, node in enumerate((*fed, *inner))}
        self.inner = [
            (node, None if not node.inputs else tuple(places[x] for x in node.inputs), _state(node))
            for node in inner
        ]
        self.results = dict(zip(reached, (places[node] for node in gradients), strict=True))
        # Rules that Python code computes have values only where they are applied.
        self.can_be_replayed = not any(isinstance(node, (MultipleOutputs, Item)) for node in order)

    def replayed(self, order: Sequence[Node]) -> dict[int, Node]:
        """The gradients by place, for the nodes of a tape."""
        built: list[Any] = [order[place] for place in self.feeds]
        state = context()
        origin = state.origin or order[-1]._origin
        with np.errstate(all="ignore"):
            for template, inputs, attributes in self.inner:
                if inputs is None:  # a constant, as old as the nodes that read it
                    bare = is_bare(template)
                    built.append(template if bare else Constant.holding(template._value))
                    continue
                node: Any = object.__new__(type(template))
                node.__dict__.update(attributes)
                node.inputs = nodes = tuple([built[n] for n in inputs])
                node._serial = next_serial()
                node._origin = origin
                node._unlisted = True
                values = [x._value for x in nodes]
                if node._plain:
                    node._value = node.seal(node.f(numpy_maths, *values, **node.attributes))
                else:
                    node._value = node._evaluate(values)
                if watching:
                    tell_computed(node)
                built.append(node)
        return {place: built[n] for place, n in self.results.items()}


_REPLACED = frozenset("inputs _serial _origin _unlisted _name _unnamed _value".split())


def _state(node: Node) -> dict[str, Any]:
    """What all nodes of the operation have in common."""
    if not isinstance(node, Operation):
        return {}
    state = node.clone(node.inputs).__dict__
    return {key: value for key, value in state.items() if key not in _REPLACED}


_known: WeakKeyDictionary[Structure, dict[tuple[int, ...], _Steps]] = WeakKeyDictionary()


def nested(y: Node, leaves: Sequence[Node], since: int) -> list[Node | None] | None:
    """The gradients of the sum of y's elements with respect to some leaves, as nodes that depend on
    y's, and None where it is 0. Nodes older than `since` don't depend on the leaves. None if y's
    structure is new, or only the general pass can compute them."""
    if context().graph is not None:
        return None
    order = nodes_of(y, since)
    tape = known(order, since)
    if tape is None or tape.structure.variables:
        return None
    places = {node: place for place, node in enumerate(order)}
    if not all(x in places for x in leaves):
        return None
    chosen = tuple(places[x] for x in leaves)
    passes = _known.setdefault(tape.structure, {})
    steps = passes.get(chosen)
    if steps is None:
        steps = passes[chosen] = _Steps(tape.structure, chosen)
    if not steps.can_be_replayed:
        return None
    found = steps.replayed(order)
    return [found.get(place) for place in chosen]
