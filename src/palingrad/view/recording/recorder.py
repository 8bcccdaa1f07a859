"""`record`: writes everything that the current thread computes onto a tape."""

from __future__ import annotations

import weakref
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ...graph.context import context, level_of, target_of
from ...graph.kinds import Composite
from ...graph.leaves import Constant, Variable
from ...graph.node import Node
from ...graph.operation import Operation
from ...graph.state.observe import Change, Observer, observed
from ...graph.traversal.order import postorder
from ...messages.calls import public
from ..drawing.model import Kind, kind_of
from ..names import names_of
from ..scopes import ScopesOf
from .entries import Entry, Formula, Run, Script, Source, with_roles
from .retention import Keep, is_whole
from .tape import Tape

LONGEST = 20_000  # entries after which a run of eager code is split
BUDGET = 1 << 30  # bytes


@contextmanager
@public
def record(*, keep: Keep = "all", budget: int | None = BUDGET) -> Generator[Tape]:
    """Records the forward pass, backward pass and updates of this thread inside the `with`.

    Applies to eager code, sessions and functions; the latter two run node by node in the numpy
    engine meanwhile. keep="all" keeps every value, "summary" moments and a histogram, "sample"
    these and 64 elements; the values of leaves are kept, so that all others can be recomputed.
    Beyond `budget` bytes the oldest runs are summarised too; `tape.dropped` reports this.

    >>> import palingrad as pg
    >>> w = pg.Variable(3.0, name="w")
    >>> with pg.record() as tape:
    ...     for _ in range(2):
    ...         loss = w * w
    ...         loss.backward()
    ...         _ = w.assign(w - 0.1 * w.grad)
    >>> len(tape), [float(value) for value in tape.history("w")]
    (2, [3.0, 2.4000000953674316])
    """
    tape = Tape(keep=keep, budget=budget)
    recorder = _Recorder(tape)
    with observed(recorder):
        try:
            yield tape
        finally:
            recorder.end_run()


class _Draft:
    """A run that is being recorded: its entries so far, with their values and nodes."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.entries: list[Entry] = []
        self.levels: list[int] = []
        self.values: list[Any] = []
        self.sources: dict[int, Source] = {}
        self.nodes: list[Node] = []  # kept until the run ends, for their names and unique ids
        self.alive: list[Node] = []  # other nodes kept so that their ids stay unique
        self.places: dict[int, int] = {}  # id of a node → place
        self.assigned: dict[int, int] = {}  # number of a Variable → place of its last assignment
        self.inner: dict[int, Node] = {}  # nodes in the expansions of composites, by id
        self.after_backward: set[int] = set()  # places that depend on a backward pass
        self.ends = False  # whether the next independent operation starts a new run

    def add(
        self,
        node: Node,
        value: Any,
        inputs: tuple[int, ...] = (),
        *,
        variable: int | None = None,
        assigns: bool = False,
    ) -> int:
        """Append an entry for a node or for an assignment, and return its place."""
        place = len(self.entries)
        formula = None
        if isinstance(node, Operation) and not assigns and (inputs or not node.inputs):
            formula = Formula(type(node), dict(node.attributes))
        several = isinstance(value, tuple)
        self.entries.append(
            Entry(
                place,
                _kind(node) if formula is None and not assigns else "operation",
                "assign" if assigns else node.kind_name(),
                "",
                "forward",
                inputs,
                tuple(array.shape for array in value) if several else value.shape,
                tuple(array.dtype.name for array in value) if several else value.dtype.name,
                node.origin,
                formula=formula,
                variable=variable,
                literal=isinstance(node, Constant) and node.scalar is not None,
            )
        )
        level = 0 if formula is None else level_of(node._origin)
        self.levels.append(level)
        self.values.append(value)
        self.nodes.append(node)
        if level or any(x in self.after_backward for x in inputs):
            self.after_backward.add(place)
        if not assigns:
            self.places[id(node)] = place
        return place


class _Recorder(Observer):
    """Observes the current thread and appends runs to a tape."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._draft: _Draft | None = None
        self._numbers: dict[int, int] = {}  # id of a Variable → its number
        self._last: dict[int, Source] = {}  # number of a Variable → its last assignment
        # id of an array → (weak reference to it, the entry that computed it)
        self._producers: dict[int, tuple[weakref.ref[Any], Source]] = {}
        self._programs: dict[int, tuple[Any, Script]] = {}
        self._scripts: dict[Any, Script] = {}

    # ---------------------------------------------------------------- eager code

    def computed(self, node: Node) -> None:
        draft = self._draft
        if draft is not None and (len(draft.entries) > LONGEST or self._starts_run(draft, node)):
            self.end_run()
        draft = self._current()
        inputs = tuple(self._place(draft, x) for x in node.inputs)
        draft.add(node, node._known(), inputs)
        composites = [node]
        while composites:  # an expansion may contain composites with expansions of their own
            composite = composites.pop()
            if not isinstance(composite, Composite) or composite._expansion is None:
                continue
            outside = {id(x) for x in composite.inputs}
            for x in _inside(composite._expansion, outside):
                if id(x) not in draft.inner:
                    draft.inner[id(x)] = x
                    composites.append(x)

    def detached(self, gradient: Node, kept: Node) -> None:
        draft = self._draft
        if draft is not None and id(gradient) in draft.places:
            draft.places[id(kept)] = draft.places[id(gradient)]
            draft.alive.append(kept)

    def assigned(self, changes: Sequence[Change]) -> None:
        draft = self._current()
        for variable, array, value in changes:
            number = self._number(variable)
            if isinstance(value, Node):
                source = self._place(draft, value)
            else:
                source = draft.add(Constant.holding(array), array)
            draft.assigned[number] = draft.add(
                variable, array, (source,), variable=number, assigns=True
            )
        trained = any(variable.trainable for variable, _, _ in changes)
        draft.ends = draft.ends or trained or bool(draft.after_backward)

    def _starts_run(self, draft: _Draft, node: Node) -> bool:
        """Whether a node starts a new run: Variables were updated, and the node doesn't depend on
        the backward pass."""
        if not draft.ends or context().hidden or level_of(node._origin):
            return False
        return not any(draft.places.get(id(x)) in draft.after_backward for x in node.inputs)

    def _current(self) -> _Draft:
        if self._draft is None:
            self._draft = _Draft("eager")
        return self._draft

    def _place(self, draft: _Draft, x: Node) -> int:
        """The place of an input; adds a leaf if this run didn't compute it."""
        if isinstance(x, Variable):
            number = self._number(x)
            if number in draft.assigned:
                return draft.assigned[number]
            if id(x) not in draft.places:
                place = draft.add(x, x._value, variable=number)
                source = self._source(number, x._value)
                if source is not None:
                    draft.sources[place] = source
            return draft.places[id(x)]
        if id(x) in draft.places:
            return draft.places[id(x)]
        if id(x) in draft.inner:  # a derivative rule uses a node of a composite's expansion
            known = draft.places
            for node in postorder(x, inputs=lambda node: () if id(node) in known else node.inputs):
                if id(node) in known:
                    continue
                if id(node) in draft.inner:
                    places = tuple(self._place(draft, parent) for parent in node.inputs)
                    draft.add(node, node._known(), places)
            return draft.places[id(x)]
        place = draft.add(x, x._known())
        producer = self._producers.get(id(x._known()))
        if producer is not None and producer[0]() is x._known():
            draft.sources[place] = producer[1]
        return place

    def _source(self, number: int, value: Any) -> Source | None:
        """The assignment that a Variable's value comes from; None if unrecorded code changed it."""
        if number not in self._last:
            return None
        run, at = self._last[number]
        recorded = self._tape.runs[run].values[at]
        return (run, at) if recorded is value or not is_whole(recorded) else None

    # ---------------------------------------------------------------- sessions and functions

    def ran(self, program: Any, values: Mapping[Node, Any]) -> None:
        self.end_run()
        key = id(program)
        if key not in self._programs:
            self._programs[key] = program, self._script_of(program, values)
        script = self._programs[key][1]
        recorded: list[Any] = [values[node] for node in program.order]
        recorded += [values[value] for _, value in program.updates]
        run = Run(len(self._tape.runs), script, recorded, {})
        sources: dict[int, Source] = {}
        for entry in script.entries:
            if entry.kind == "variable" and entry.variable is not None:
                source = self._source(entry.variable, recorded[entry.place])
                if source is not None:
                    sources[entry.place] = source
        run.sources = sources
        for entry in script.entries:
            if entry.assigns:
                assert entry.variable is not None
                self._last[entry.variable] = run.number, entry.place
        self._tape.append(run)

    def _script_of(self, program: Any, values: Mapping[Node, Any]) -> Script:
        draft = _Draft("program")
        for node in program.order:
            inputs = tuple(draft.places[id(x)] for x in node.inputs)
            number = self._number(node) if isinstance(node, Variable) else None
            draft.add(node, values[node], inputs, variable=number)
        for variable, value in program.updates:
            draft.add(variable, values[value], (draft.places[id(value)],),
                      variable=self._number(variable), assigns=True)  # fmt: skip
        return self._script(draft)

    # ---------------------------------------------------------------- runs

    def end_run(self) -> None:
        """Append the run of eager code that is being recorded to the tape."""
        draft, self._draft = self._draft, None
        if draft is None or not draft.entries:
            return
        number = len(self._tape.runs)
        for variable, place in draft.assigned.items():
            self._last[variable] = number, place
        run = Run(number, self._script(draft), draft.values, draft.sources)
        for place, value in enumerate(draft.values):
            if draft.entries[place].kind == "operation" and not isinstance(value, tuple):
                self._producers[id(value)] = weakref.ref(value), (number, place)
        if len(self._producers) > 4 * LONGEST:
            self._producers = {k: p for k, p in self._producers.items() if p[0]() is not None}
        self._tape.append(run)

    def _script(self, draft: _Draft) -> Script:
        """The entries with names and roles; equal runs share one Script."""
        key = (draft.title, *map(_signature, draft.entries, draft.levels))
        if key not in self._scripts:
            nodes = list({id(node): node for node in draft.nodes}.values())
            names, scopes = names_of(nodes), ScopesOf(nodes)
            entries = [
                replace(
                    entry,
                    name=self._name(entry, names[id(node)]),
                    gradient_of=self._target(entry, node),
                    scope="".join(f"{part}/" for part in scopes[node]),
                )
                for entry, node in zip(draft.entries, draft.nodes, strict=True)
            ]
            self._scripts[key] = Script(draft.title, with_roles(entries, draft.levels))
        return self._scripts[key]

    def _target(self, entry: Entry, node: Node) -> int | None:
        target = None if entry.assigns else target_of(node._origin)
        return self._number(target) if isinstance(target, Variable) else None

    def _name(self, entry: Entry, name: str) -> str:
        return name if entry.variable is None else self._tape.variables[entry.variable]

    def _number(self, variable: Variable) -> int:
        tape = self._tape
        number = self._numbers.get(id(variable))
        if number is None or tape._known[number]() is not variable:
            number = self._numbers[id(variable)] = len(tape.variables)
            tape.variables.append(_unique(variable, tape.variables))
            tape._known.append(weakref.ref(variable))
        return number


def _kind(node: Node) -> Kind:
    """The kind of a leaf; the result of an operation outside this run is a constant."""
    return "constant" if isinstance(node, Operation) else kind_of(node)


def _unique(variable: Variable, taken: Sequence[str]) -> str:
    """The Variable's given name or the name in the user's code, numbered if it is taken."""
    given_name = None if variable._unnamed else variable._name
    name = given_name or names_of([variable])[id(variable)]
    if name not in taken:
        return name
    return next(f"{name}#{n}" for n in range(2, len(taken) + 3) if f"{name}#{n}" not in taken)


def _signature(entry: Entry, level: int) -> Any:
    """All properties of an entry except its name, for comparison."""
    formula = entry.formula
    computes = None if formula is None else (formula.operation, repr(dict(formula.attributes)))
    return (entry.kind, entry.operation, entry.inputs, entry.shape, entry.dtype, entry.origin,
            entry.variable, level, computes)  # fmt: skip


def _inside(expansion: Node, outside: set[int]) -> list[Operation]:
    """The operations between a composite's inputs, whose ids are `outside`, and its result."""
    order = postorder(expansion, inputs=lambda x: () if id(x) in outside else x.inputs)
    return [x for x in order if isinstance(x, Operation) and id(x) not in outside]
