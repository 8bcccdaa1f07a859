"""The gradients of eager tapes: the reverse pass of a tape's structure, as a cached Program.

A tape is what an eagerly computed node depends on. The first `backward()` over tapes of one
structure (operations, attributes, shapes, dtypes, edges) computes the reverse pass operation by
operation, as all do over a long tape (`pullbacks.py`). The second makes a Program of it, whose
feeds are values of the tape; all later ones only run that. As other Programs, it becomes machine
code if it is run often.

Only the gradients of Variables are computed at once. Those of other nodes are computed all together
when the first of them is read, from the arrays that the tape held.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from ..autodiff.gradients import needs_value, takes_gradient
from ..autodiff.reverse import has_forms, reverse
from ..classes import NamedTuple
from ..dtypes import Array, is_inexact, setting_changes
from ..engines.base import sealed
from ..engines.selection import get_engine
from ..graph.context import apart, graph_scope
from ..graph.kinds import AnonymousGraph
from ..graph.leaves import Constant, Placeholder, Variable
from ..graph.node import Node
from ..graph.operation import MultipleOutputs, Operation
from ..graph.registry import ops, register
from ..graph.state.collections import rare_collections
from ..graph.state.landing import serial_of
from ..graph.state.lazy import lazy
from ..graph.traversal.order import postorder
from ..graph.traversal.replay import replay
from ..ops.control.loop import Loop
from ..passes.program import Program
from ..programs import Compiled, ProgramCache
from ..shapes import sizes
from ..signature import hashable, settings
from . import pullbacks
from .results import all_items, all_values, other_items

_STRUCTURES = 256  # the most recently used structures, whose Programs are kept
_LONGEST = 1500  # nodes: longer tapes are seldom built twice, and compiling them takes long


class Pass(NamedTuple):
    """The reverse pass of a structure as deferred nodes: the gradients of the nodes at the places
    `reached`. It is fed the values of those at the places `feeds`, for which `fed` stands."""

    reached: list[int]
    feeds: list[int]
    fed: tuple[Placeholder, ...]
    gradients: tuple[Node, ...]


def _pass(
    clones: Sequence[Node],
    y: Node,
    targets: Sequence[int],
    read: Mapping[int, Variable] | None = None,
) -> Pass:
    """The reverse pass from y to the targets. It reads the Variables of `read` itself, by their
    places."""
    with graph_scope(AnonymousGraph(), hidden=True, observed=False):
        found = _cotangents(clones, y, [clones[place] for place in targets])
        reached = [place for place in targets if clones[place] in found]
        outputs = [found[clones[place]] for place in reached]
        places = {clone: place for place, clone in enumerate(clones) if _can_be_fed(clone)}
        needed = postorder(*outputs, inputs=lambda node: () if node in places else node.inputs)
        given: dict[Node, Node] = {clones[place]: x for place, x in (read or {}).items()}
        fed = {node: _placeholder(node) for node in needed if node in places and node not in given}
        built = replay(needed, lambda node, inputs: node.rewired(inputs), {**given, **fed})
    gradients = tuple(built[node] for node in outputs)
    return Pass(reached, [places[node] for node in fed], tuple(fed.values()), gradients)


class Reverse:
    """A Program for the gradients of some nodes of a structure: see `Pass`.

    The pass is built at once, with the settings of its structure, and compiled on first use.
    """

    def __init__(self, clones: Sequence[Node], y: Node, targets: Sequence[int]) -> None:
        self.reached, self.feeds, self._inputs, self._results = _pass(clones, y, targets)
        self._engine = get_engine(None, observed=False, placed=False).name

    @lazy
    def run(self) -> Compiled:
        """The compiled Program."""
        program = Program(self._inputs, self._results)
        return apart(lambda: Compiled(self._results, program, self._engine))

    def gradients(self, values: Sequence[Any]) -> dict[int, Array]:
        """The gradients by place, for the values of a tape's nodes."""
        arrays = self.run.executable([values[n] for n in self.feeds])
        return dict(zip(self.reached, arrays, strict=True))


def _cotangents(clones: Sequence[Node], y: Node, targets: Sequence[Node]) -> dict[Node, Node]:
    """The cotangents of the targets that are reached; see `reverse_to_all` for those of leaves."""
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

    def __init__(self, order: Sequence[Node], outer: Collection[Node] = ()) -> None:
        self._clones = _cloned(order, outer)
        self._y = self._clones[-1]
        self._others = other_items(order, self._clones, outer)
        self._passes: dict[tuple[int, ...], Reverse] = {}
        places = {node: n for n, node in enumerate(order)}
        met = postorder(order[-1], inputs=lambda node: [x for x in node.inputs if x in places])
        self.variables = tuple(places[node] for node in met if isinstance(node, Variable))
        self.others = tuple(
            n for n, node in enumerate(order)
            if takes_gradient(node) and not isinstance(node, Variable)
        )  # fmt: skip
        forms = has_forms(order)  # which are computed anew from the inputs
        # Where an operation reads a Variable whose value its derivative depends on.
        self.readers = [
            (n, places[x]) for n, node in enumerate(order) for x in node.inputs
            if isinstance(x, Variable) and x in places and (forms or needs_value(node, x))
        ]  # fmt: skip

    def nodes(self, order: Sequence[Any]) -> list[Node]:
        """The nodes of a tape of this structure, and the results that nobody read on it, whose
        values a derivative may need: those of a loop's steps, the vectors of a factorisation."""
        return [*order, *(all_items(order[place])[index] for place, index in self._others)]

    def values(self, order: Sequence[Any]) -> list[Any]:
        """The values of `nodes`."""
        values = [node._value for node in order]
        values += [all_values(order[place])[index] for place, index in self._others]
        return values

    def to(self, targets: tuple[int, ...]) -> Reverse:
        """The reverse pass to the nodes at these places. The first call for them must come with
        the settings of the structure."""
        found = self._passes.get(targets)
        if found is None:
            found = self._passes.setdefault(targets, apart(Reverse, self._clones, self._y, targets))
        return found

    def nested(self, targets: tuple[int, ...]) -> Pass:
        """The reverse pass to the nodes at these places, to be replayed on nodes."""
        return apart(_pass, self._clones, self._y, targets)

    def within(self, read: Mapping[int, Variable]) -> Pass:
        """The reverse pass to these Variables, for a Program that reads them; by their places."""
        return apart(_pass, self._clones, self._y, tuple(read), read)


def _cloned(order: Sequence[Node], outer: Collection[Node]) -> list[Node]:
    """The tape without values: placeholders, numbers, and operations on these."""
    clones: dict[Node, Node] = {}
    with graph_scope(AnonymousGraph(), hidden=True, observed=False):
        for node in order:
            if isinstance(node, Operation) and node not in outer:
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
        self._found: dict[int, Any] | None = None

    @classmethod
    def known(cls, found: dict[int, Any]) -> Pending:
        """Gradients that were computed, by place: arrays, NumPy scalars or None."""
        new = object.__new__(cls)
        new._values, new._found = [], found
        return new

    def gradient(self, node: Node, place: int) -> Node:
        """The gradient of the node at this place of the tape; computes all of them."""
        values = self._values  # before `_found`, which another thread may set
        found = self._found
        if found is None:
            found = self._found = self._program.gradients(values)
            self._values = []
        value = found.get(place)
        if value is None:
            return ops.zeros_like(node)
        return Constant.holding(sealed(np.asarray(value)))


class Tape(NamedTuple):
    """A tape whose structure is known, and its nodes, inputs first."""

    order: list[Node]
    structure: Structure

    def values(self) -> list[Any] | None:
        """The values of `Structure.nodes`; None if a Variable that a derivative needs was assigned
        since they were computed."""
        values = self.structure.values(self.order)
        return values if self.is_current() else None  # after the values were taken

    def is_current(self) -> bool:
        """Whether no Variable that a derivative needs was assigned since it was read."""
        order: list[Any] = self.order
        for reader, variable in self.structure.readers:
            if order[variable]._changed > order[reader]._serial:
                return False
        return True


_seen: dict[int, None] = {}  # hashes of structures that occurred once
_structures: ProgramCache[Structure] = ProgramCache(_STRUCTURES)


def known(order: list[Node], outer: Collection[Node] = ()) -> Tape | None:
    """The tape, if one of its structure occurred before. The nodes of `outer` are leaves."""
    parts = _read(order, outer) if len(order) <= _LONGEST else None
    if parts is None:
        return None
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
        structure = _structures.make(key, lambda: Structure(order, outer))
    return Tape(order, structure)


@register
def tape_differentiated(y: Node) -> bool:
    """Set the gradients of a tape's nodes by the Program of its structure, or else by rules of its
    operations; whether that can be done."""
    order = nodes_of(y, most=_LONGEST)
    tape = known(order)
    values = None if tape is None else tape.values()
    if tape is None or values is None:
        if len(order) <= _LONGEST:
            return _differentiated_by_rules(postorder(y))
        with rare_collections():
            return _differentiated_by_rules(postorder(y))
    structure = tape.structure
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


def _differentiated_by_rules(order: list[Node]) -> bool:
    cotangents = pullbacks.cotangents(order)
    if cotangents is None:
        return False
    pending = Pending.known(dict(enumerate(map(cotangents.get, order))))
    for place, node in enumerate(order):
        if node.inputs and is_inexact(node._value.dtype):
            node._grad = pending, place
        elif not node.inputs and takes_gradient(node):
            node._grad = pending.gradient(node, place)
    return True


_last: list[Any] = [-1, None]


def _selected() -> Hashable:
    """The settings that select a Program, which are asked for again when one has changed."""
    if _last[0] != setting_changes[0]:
        _last[:] = (
            setting_changes[0],
            (settings(), get_engine(None, observed=False, placed=False).name),
        )
    return _last[1]


def nodes_of(y: Node, since: int = 0, most: int | None = None) -> list[Node]:
    """The tape's nodes by their serial numbers, and so inputs first and y last; of a tape of more
    than `most` nodes only some, but more than `most`. The inputs of nodes older than `since` don't
    belong to it."""
    order, seen = [y], {y}
    for node in order:  # which grows meanwhile
        if most is not None and len(order) > most:
            return order
        if node._serial < since:
            continue
        for x in node.inputs:
            if x not in seen:
                seen.add(x)
                order.append(x)
    order.sort(key=serial_of)
    return order


def places_of(order: Sequence[Node], chosen: Sequence[Node]) -> tuple[int, ...] | None:
    """The places of some nodes of a tape, the oldest of which are found first; None if one isn't in
    it."""
    if len(chosen) > 2:
        places = {node: place for place, node in enumerate(order)}
        found = [places.get(x) for x in chosen]
    else:
        found = [next((n for n, node in enumerate(order) if node is x), None) for x in chosen]
    return None if None in found else tuple(n for n in found if n is not None)


def _read(order: Sequence[Node], outer: Collection[Node]) -> list[Hashable] | None:
    """What tells the structure of a tape from others: for each node its class, its attributes or
    the form of its value, and the places of its inputs. None for a tape with an operation of the
    user's, whose rules may read values."""
    places = {node: place for place, node in enumerate(order)}
    parts: list[Hashable] = []
    add = parts.append
    nodes: Sequence[Any] = order
    for node in nodes:
        kind: Any = type(node)
        inputs = node.inputs
        if not inputs and not issubclass(kind, Operation):
            value = node._value
            if kind is Constant and (scalar := node.scalar) is not None:
                plain = scalar and type(scalar) is not complex
                # Numbers that differ in the sign of a zero are equal, but their texts aren't.
                number = scalar if plain else repr(scalar)
                parts += type(scalar), number, value.dtype, node.weak is None
            else:
                parts += kind, value.shape, value.dtype
            continue
        if outer and node in outer:
            parts += Placeholder, node._value.shape, node._value.dtype
            continue
        if not kind._by_structure:
            return None
        add(kind)
        if node.attributes:
            attributes = hashable(node.attributes)
            if attributes is None:
                return None
            add(attributes)
            if kind is Loop:
                add(node.kept_places)
        for x in inputs:
            add(places[x])
    return parts
