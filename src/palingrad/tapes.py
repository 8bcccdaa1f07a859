"""The gradients of eager tapes: the reverse pass of a tape's structure, as a cached Program.

A tape is what an eagerly computed node depends on. The first `backward()` over tapes of one
structure (operations, attributes, shapes, dtypes, edges) builds and computes the reverse pass node
by node. The second makes a Program of it, whose feeds are values of the tape; all later ones only
run that. As other Programs, it becomes machine code if it is run often.

Only the gradients of Variables are computed at once. Those of other nodes are computed all together
when the first of them is read, from the arrays that the tape held.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import copysign
from typing import Any

import numpy as np

from .autodiff.gradients import differentiate_tapes_with, takes_gradient
from .autodiff.reverse import reverse
from .dtypes import Array
from .engines.selection import get_engine
from .graph.context import graph_scope
from .graph.kinds import AnonymousGraph
from .graph.leaves import Constant, Placeholder, Variable
from .graph.node import Node
from .graph.operation import MultipleOutputs, Operation
from .graph.registry import ops
from .graph.traversal.order import postorder
from .graph.traversal.replay import replay
from .passes.program import Program
from .programs import Compiled, ProgramCache
from .signature import settings

_STRUCTURES = 256  # the most recently used structures, whose Programs are kept
_LONGEST = 5000  # nodes: longer tapes are seldom built twice, and compiling them takes long


class Reverse:
    """A Program for the cotangents of some nodes of a structure. `feeds` are the places of the
    nodes whose values it is fed, −1 for the initial cotangent; `reached` those of its outputs."""

    def __init__(self, clones: Sequence[Node], targets: Sequence[int], seeded: bool) -> None:
        y = clones[-1]
        with graph_scope(AnonymousGraph(), hidden=True, observed=False):
            seed: Node = _placeholder(y) if seeded else Constant(np.ones(y.shape or (), y.dtype))
            found = reverse({y: seed}, [clones[place] for place in targets], traced=False)
            self.reached = [place for place in targets if clones[place] in found]
            outputs = [found[clones[place]] for place in self.reached]
            places = {clone: place for place, clone in enumerate(clones) if _can_be_fed(clone)}
            if seeded:
                places[seed] = -1
            needed = postorder(*outputs, inputs=lambda node: () if node in places else node.inputs)
            fed = {node: _placeholder(node) for node in needed if node in places}
            built = replay(needed, lambda node, inputs: node.rewired(inputs), fed)
        self.feeds = [places[node] for node in fed]
        results = tuple(built[node] for node in outputs)
        engine = get_engine(None, observed=False).name
        self.run = Compiled(results, Program(tuple(fed.values()), results), engine)


def _can_be_fed(clone: Node) -> bool:
    return isinstance(clone, (Placeholder, Operation)) and not isinstance(clone, MultipleOutputs)


def _placeholder(node: Node) -> Placeholder:
    return Placeholder.unchecked({"_shape": node.shape, "_dtype": node.dtype})


class Structure:
    """The structure of a tape: its operations without values, and the Programs of its reverse
    passes, to Variables and to all nodes."""

    def __init__(self, order: Sequence[Node]) -> None:
        self._clones = _cloned(order)
        self.variables = [n for n, node in enumerate(order) if isinstance(node, Variable)]
        self.others = [
            n for n, node in enumerate(order)
            if takes_gradient(node) and not isinstance(node, Variable)
        ]  # fmt: skip
        self._programs: dict[tuple[bool, bool], Reverse] = {}

    def program(self, variables: bool, seeded: bool) -> Reverse:
        """The reverse pass to the Variables, or to the other nodes."""
        known = self._programs.get((variables, seeded))
        if known is None:
            targets = self.variables if variables else self.others
            known = Reverse(self._clones, targets, seeded)
            self._programs[variables, seeded] = known
        return known


def _cloned(order: Sequence[Node]) -> list[Node]:
    """The tape without values: placeholders, numbers, and operations on these."""
    clones: dict[Node, Node] = {}
    with graph_scope(AnonymousGraph(), hidden=True, observed=False):
        for node in order:
            if isinstance(node, Operation):
                clones[node] = node.clone([clones[x] for x in node.inputs])
            elif isinstance(node, Constant) and node.scalar is not None:
                clones[node] = node
            else:
                clones[node] = _placeholder(node)
    return list(clones.values())


class Pending:
    """The gradients of the nodes of one tape that aren't computed yet, and the tape's arrays."""

    __slots__ = ("_found", "_seeded", "_structure", "_values")

    def __init__(self, structure: Structure, values: list[Any], seeded: bool) -> None:
        self._structure, self._values, self._seeded = structure, values, seeded
        self._found: dict[int, Array] | None = None

    def gradient(self, node: Node, place: int) -> Node:
        """The gradient of the node at this place of the tape; computes all of them."""
        found = self._found
        if found is None:
            program = self._structure.program(False, self._seeded)
            arrays = program.run([self._values[n] for n in program.feeds])
            found = self._found = dict(zip(program.reached, arrays, strict=True))
            self._values = []
        value = found.get(place)
        return ops.zeros_like(node) if value is None else Constant.holding(value)


_seen: dict[int, None] = {}  # hashes of structures that occurred once
_structures: ProgramCache[Structure] = ProgramCache(_STRUCTURES)


def differentiated(y: Node, seed: Node | None) -> bool:
    """Set the gradients of a tape's nodes by the Program of its structure; whether there is one."""
    found = _read(y)
    if found is None:
        return False
    order, parts = found
    parts += (settings(), get_engine(None, observed=False).name)
    key = tuple(parts)
    structure = _structures.get(key)
    if structure is None:
        digest = hash(key)
        if digest not in _seen:
            if len(_seen) > 4 * _STRUCTURES:
                _seen.clear()
            _seen[digest] = None
            return False
        structure = _structures.make(key, lambda: Structure(order))
    values = [node._value for node in order]
    if seed is not None:
        values.append(seed._value)
    seeded = seed is not None
    if structure.variables:
        program = structure.program(True, seeded)
        arrays = program.run([values[n] for n in program.feeds])
        for place, array in zip(program.reached, arrays, strict=True):
            order[place]._grad = Constant.holding(array)
        if len(arrays) < len(structure.variables):
            for place in set(structure.variables).difference(program.reached):
                order[place]._grad = ops.zeros_like(order[place])
    pending = Pending(structure, values, seeded)
    for place in structure.others:
        order[place]._grad = pending, place
    return True


def _read(y: Node) -> tuple[list[Node], list[Hashable]] | None:
    """The tape's nodes, inputs first, and what tells its structure from others; None for a tape
    that is too long or holds an operation of the user's, whose rules may read values."""
    order: list[Node] = []
    parts: list[Hashable] = []
    places: dict[Node, int] = {}
    stack = [y]
    while stack:
        node = stack[-1]
        if node in places:
            stack.pop()
            continue
        inputs = node.inputs
        waiting = [x for x in inputs if x not in places]
        if waiting:
            waiting.reverse()
            stack += waiting
            continue
        stack.pop()
        if len(order) == _LONGEST:
            return None
        places[node] = len(order)
        order.append(node)
        if not isinstance(node, Operation):
            parts.append(_leaf(node))
        elif not node._shipped:
            return None
        elif node.attributes:
            attributes = hashable(node.attributes)
            if attributes is None:
                return None
            parts.append((type(node), attributes, *[places[x] for x in inputs]))
        else:
            parts.append((type(node), *[places[x] for x in inputs]))
    return order, parts


def _leaf(node: Node) -> Hashable:
    value = node._value
    if isinstance(node, Constant) and (scalar := node.scalar) is not None:
        return type(scalar), scalar, copysign(1, scalar), value.dtype, node.weak is None
    return type(node), value.shape, value.dtype


def hashable(value: Any) -> Hashable | None:
    """A hashable value that is equal only for equal attributes; None if there is none."""
    if isinstance(value, Mapping):
        entries: Mapping[str, Any] = value
        return _all_hashable([part for entry in entries.items() for part in entry])
    if isinstance(value, (tuple, list)):
        return _all_hashable(value)
    if isinstance(value, slice):
        return "slice", value.start, value.stop, value.step
    if isinstance(value, (float, np.floating)):
        return type(value), value, copysign(1, value)
    if value is None or value is Ellipsis:
        return repr(value)
    return (type(value), value) if isinstance(value, Hashable) else None


def _all_hashable(values: Sequence[Any]) -> Hashable | None:
    parts = tuple(map(hashable, values))
    return None if None in parts else parts


differentiate_tapes_with(differentiated)
