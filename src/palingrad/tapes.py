"""The gradients of eager tapes: the reverse pass of a tape's structure, as a cached Program.

A tape is what an eagerly computed node depends on. The first `backward()` over tapes of one
structure (operations, attributes, shapes, dtypes, edges) builds and computes the reverse pass node
by node. The second makes a Program of it, whose feeds are values of the tape; all later ones only
run that. As other Programs, it becomes machine code if it is run often.

Only the gradients of Variables are computed at once. Those of other nodes are computed all together
when the first of them is read, from the arrays that the tape held.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .autodiff.gradients import needs_value, takes_gradient
from .autodiff.reverse import has_forms, reverse
from .dtypes import Array, setting_changes
from .engines.selection import get_engine
from .graph.context import apart, graph_scope
from .graph.kinds import AnonymousGraph
from .graph.leaves import Constant, Placeholder, Variable
from .graph.node import Node
from .graph.operation import MultipleOutputs, Operation
from .graph.registry import ops
from .graph.state.landing import serial_of
from .graph.state.lazy import lazy
from .graph.traversal.order import postorder
from .graph.traversal.replay import replay
from .passes.program import Program
from .programs import Compiled, ProgramCache
from .shapes import sizes
from .signature import hashable, settings

_STRUCTURES = 256  # the most recently used structures, whose Programs are kept
_LONGEST = 5000  # nodes: longer tapes are seldom built twice, and compiling them takes long


class Reverse:
    """A Program for the gradients of some nodes of a structure. `feeds` are the places of the nodes
    whose values it is fed, `reached` those whose gradients it computes.

    The pass is built at once, with the settings of its structure, and compiled on first use.
    """

    def __init__(self, clones: Sequence[Node], targets: Sequence[int]) -> None:
        with graph_scope(AnonymousGraph(), hidden=True, observed=False):
            found = _cotangents(clones, [clones[place] for place in targets])
            self.reached = [place for place in targets if clones[place] in found]
            outputs = [found[clones[place]] for place in self.reached]
            places = {clone: place for place, clone in enumerate(clones) if _can_be_fed(clone)}
            needed = postorder(*outputs, inputs=lambda node: () if node in places else node.inputs)
            fed = {node: _placeholder(node) for node in needed if node in places}
            built = replay(needed, lambda node, inputs: node.rewired(inputs), fed)
        self.feeds = [places[node] for node in fed]
        self._inputs, self._results = tuple(fed.values()), tuple(built[node] for node in outputs)
        self._engine = get_engine(None, observed=False).name

    @lazy
    def run(self) -> Compiled:
        """The compiled Program."""
        program = Program(self._inputs, self._results)
        return apart(lambda: Compiled(self._results, program, self._engine))

    def gradients(self, values: Sequence[Any]) -> dict[int, Array]:
        """The gradients by place, for the values of a tape's nodes."""
        arrays = self.run.executable([values[n] for n in self.feeds])
        return dict(zip(self.reached, arrays, strict=True))


def _cotangents(clones: Sequence[Node], targets: Sequence[Node]) -> dict[Node, Node]:
    """The cotangents of the targets that are reached; see `reverse_to_all` for those of leaves."""
    y = clones[-1]
    seed = Constant(np.ones(sizes(y.shape), y.dtype))
    groups = [targets]
    if has_forms(clones):
        groups = [[x for x in targets if x.inputs], [x for x in targets if not x.inputs]]
    found: dict[Node, Node] = {}
    for group in groups:
        if group:
            found.update(reverse({y: seed}, group, traced=False))
    return found


def _can_be_fed(clone: Node) -> bool:
    return isinstance(clone, (Placeholder, Operation)) and not isinstance(clone, MultipleOutputs)


def _placeholder(node: Node) -> Placeholder:
    return Placeholder.unchecked({"_shape": node.shape, "_dtype": node.dtype})


class Structure:
    """The structure of a tape: its operations without values, and the Programs of its reverse
    passes, each for the nodes whose gradients it computes."""

    def __init__(self, order: Sequence[Node]) -> None:
        self._clones = _cloned(order)
        self._passes: dict[tuple[int, ...], Reverse] = {}
        places = {node: n for n, node in enumerate(order)}
        met = postorder(order[-1])
        self.variables = tuple(places[node] for node in met if isinstance(node, Variable))
        self.others = tuple(
            n for n, node in enumerate(order)
            if takes_gradient(node) and not isinstance(node, Variable)
        )  # fmt: skip
        forms = has_forms(order)  # which are computed anew from the inputs
        # Where an operation reads a Variable whose value its derivative depends on.
        self.readers = [
            (n, places[x]) for n, node in enumerate(order) for x in node.inputs
            if isinstance(x, Variable) and (forms or needs_value(node, x))
        ]  # fmt: skip

    def to(self, targets: tuple[int, ...]) -> Reverse:
        """The reverse pass to the nodes at these places. The first call for them must come with
        the settings of the structure."""
        found = self._passes.get(targets)
        if found is None:
            found = self._passes.setdefault(targets, apart(Reverse, self._clones, targets))
        return found


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

    __slots__ = ("_found", "_program", "_values")

    def __init__(self, program: Reverse, values: list[Any]) -> None:
        self._program, self._values = program, values
        self._found: dict[int, Array] | None = None

    def gradient(self, node: Node, place: int) -> Node:
        """The gradient of the node at this place of the tape; computes all of them."""
        values = self._values  # before `_found`, which another thread may set
        found = self._found
        if found is None:
            found = self._found = self._program.gradients(values)
            self._values = []
        value = found.get(place)
        return ops.zeros_like(node) if value is None else Constant.holding(value)


class Tape(NamedTuple):
    """A tape whose structure is known: its nodes, inputs first, and their values."""

    order: list[Node]
    structure: Structure
    values: list[Any]


_seen: dict[int, None] = {}  # hashes of structures that occurred once
_structures: ProgramCache[Structure] = ProgramCache(_STRUCTURES)


def known(y: Node) -> Tape | None:
    """The tape of y, if one of its structure occurred before and no Variable that a derivative
    needs was assigned since it was computed."""
    found = _read(y)
    if found is None:
        return None
    order, parts = found
    parts.append(_selected())
    key = tuple(parts)
    structure = _structures.get(key)
    if structure is None:
        digest = hash(key)
        if digest not in _seen:
            if len(_seen) > 4 * _STRUCTURES:
                _seen.clear()
            _seen[digest] = None
            return None
        structure = _structures.make(key, lambda: Structure(order))
    values = [node._value for node in order]
    for reader, variable in structure.readers:  # after their values were taken
        changed: Any = order[variable]
        if changed._changed > order[reader]._serial:
            return None  # the general path refuses it
    return Tape(order, structure, values)


def differentiated(y: Node) -> bool:
    """Set the gradients of a tape's nodes by the Program of its structure; whether there is one."""
    tape = known(y)
    if tape is None:
        return False
    order, structure, values = tape
    if structure.variables:
        found = structure.to(structure.variables).gradients(values)
        for place in structure.variables:
            array = found.get(place)
            node = order[place]
            node._grad = ops.zeros_like(node) if array is None else Constant.holding(array)
    pending = Pending(structure.to(structure.others), values)
    for place in structure.others:
        order[place]._grad = pending, place
    return True


def variables_of(tape: Tape) -> list[Variable]:
    """The Variables of a tape, in postorder."""
    order: Any = tape.order
    return [order[place] for place in tape.structure.variables]


def gradients(tape: Tape, targets: Sequence[Variable]) -> list[Array] | None:
    """The gradients of these Variables of the tape; None if one isn't reached by the gradient."""
    places = {tape.order[place]: place for place in tape.structure.variables}
    if not all(variable in places for variable in targets):
        return None
    chosen = tuple(places[variable] for variable in targets)
    found = tape.structure.to(chosen).gradients(tape.values)
    return [found[place] for place in chosen] if len(found) == len(chosen) else None


_last: list[Any] = [-1, None]


def _selected() -> Hashable:
    """The settings that select a Program, which are asked for again when one has changed."""
    if _last[0] != setting_changes[0]:
        _last[:] = setting_changes[0], (settings(), get_engine(None, observed=False).name)
    return _last[1]


def _read(y: Node) -> tuple[list[Node], list[Hashable]] | None:
    """The tape's nodes, inputs first, and what tells its structure from others; None for a tape
    that is too long or holds an operation of the user's, whose rules may read values.

    Nodes are ordered by their serial numbers; for each, `parts` gets its class, its attributes or
    the form of its value, and the places of its inputs.
    """
    order, seen = [y], {y}
    for node in order:  # which grows meanwhile
        for x in node.inputs:
            if x not in seen:
                seen.add(x)
                order.append(x)
    if len(order) > _LONGEST:
        return None
    order.sort(key=serial_of)
    places = {node: place for place, node in enumerate(order)}
    parts: list[Hashable] = []
    for node in order:
        if not isinstance(node, Operation):
            value = node._value
            if type(node) is Constant and (scalar := node.scalar) is not None:
                plain = scalar and type(scalar) is not complex
                # Numbers that differ in the sign of a zero are equal, but their texts aren't.
                number = scalar if plain else repr(scalar)
                parts += type(scalar), number, value.dtype, node.weak is None
            else:
                parts += type(node), value.shape, value.dtype
            continue
        if not node._shipped:
            return None
        parts.append(type(node))
        if node.attributes:
            attributes = hashable(node.attributes)
            if attributes is None:
                return None
            parts.append(attributes)
        for x in node.inputs:
            parts.append(places[x])
    return order, parts
