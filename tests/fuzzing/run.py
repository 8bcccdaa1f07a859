"""A program in the styles that palingrad offers: eagerly, in a Session, as a function."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import palingrad as pg
from fuzzing.program import Array, Call, Leaf, Program, Role, Value, evaluated
from palingrad.errors import ShapeError
from palingrad.ops.stable import stable_form
from palingrad.proof.case import is_float, weights


@dataclass(frozen=True)
class Results:
    """What one run gave: outputs, then gradients of each order, then updated Variables."""

    arrays: list[Array]
    nodes: list[pg.Node]  # that the arrays are values of


def eager(program: Program) -> Results:
    """All computed at once: the reference. Stable forms are taken where a Program takes them."""

    def leaf(one: Leaf) -> pg.Node:
        return pg.Variable(one.array) if one.role is Role.VARIABLE else pg.tensor(one.array)

    def call(value: Call, *inputs: Any) -> pg.Node:
        node = _node(value, *inputs)
        form = stable_form(node)
        return node if form is None else form.build()

    made = evaluated(program, leaf, call)
    nodes = [made[value] for value in program.outputs]
    nodes += gradients(program, made)
    nodes += [made[value] for _, value in program.updates]
    return Results([node.numpy() for node in nodes], nodes)


def gradients(program: Program, made: Mapping[Value, Any], like: Any = None) -> list[pg.Node]:
    """The gradients of a weighted sum of all float outputs, then those of these, and so on.

    `like` are nodes or arrays that tell the shapes and dtypes of the outputs where they are open.
    """
    ys: Sequence[Any] = [made[value] for value in program.outputs]
    known: Sequence[Any] = ys if like is None else like[: len(ys)]
    leaves = program.differentiable
    found: list[pg.Node] = []
    for _ in range(program.derivatives):
        terms = [pg.sum(y * weights(one)) for y, one in zip(ys, known) if is_float(one)]
        if not terms or not leaves:
            break
        total = sum(terms[1:], start=terms[0])
        ys = pg.gradients(total, [made[leaf] for leaf in leaves])
        known = [leaf.array for leaf in leaves]
        found += ys
    return found


def in_session(program: Program, engine: str, like: Sequence[Array]) -> Results:
    """Defined first and run later; with all shapes known where some must be to build it."""
    try:
        return _in_session(program, engine, like)
    except ShapeError as error:
        if "isn't known yet" not in str(error):
            raise
        return _in_session(known(program), engine, like)


def _in_session(program: Program, engine: str, like: Sequence[Array]) -> Results:
    graph, made = deferred(program, as_declared)
    with graph:
        fetches = [made[value] for value in program.outputs]
        fetches += gradients(program, made, like)
        assigned = [made[leaf].assign(made[value]) for leaf, value in program.updates]
    feeds = {made[leaf]: leaf.array for leaf in program.fed}
    session = pg.Session(graph, engine=engine)
    with threads(program.threads):
        values = session.run([*fetches, *assigned], feeds)
    if program.threads > 1 and not program.updates:
        _check_same(values, session.run(fetches, feeds))
    changed = [made[leaf].numpy() for leaf, _ in program.updates]
    return Results([*values[: len(fetches)], *changed], [*fetches, *assigned])


def _check_same(several: Sequence[Array], one: Sequence[Array]) -> None:
    """Raise AssertionError unless a run on several threads gave the bits of a run on one."""
    for x, y in zip(several, one, strict=True):
        assert x.tobytes() == y.tobytes(), "the number of threads changes bits"


def deferred(program: Program, leaf: Callable[[Leaf], Any]) -> tuple[pg.Graph, dict[Value, Any]]:
    """The program's nodes in a graph that is run later."""
    with pg.Graph() as graph:
        made = evaluated(program, leaf, _node)
    return graph, made


def as_declared(leaf: Leaf) -> pg.Node:
    """The node of a leaf in its role."""
    if leaf.role is Role.PLACEHOLDER:
        return pg.placeholder(leaf.shape, dtype=leaf.dtype)
    return pg.Variable(leaf.array) if leaf.role is Role.VARIABLE else pg.tensor(leaf.array)


def as_fed(leaf: Leaf) -> pg.Node:
    """A placeholder of known shape for every leaf that isn't a constant."""
    if leaf.role is Role.CONSTANT:
        return pg.tensor(leaf.array)
    return pg.placeholder(leaf.array.shape, dtype=leaf.array.dtype)


def _node(value: Call, *inputs: Any) -> pg.Node:
    return value.operation(*inputs, **value.attributes)


def in_function(program: Program, engine: str, like: Sequence[Array]) -> Results:
    """Traced by pg.function; Variables are captured, gradients taken inside."""
    variables = {
        leaf: pg.Variable(leaf.array) for leaf in program.leaves if leaf.role is Role.VARIABLE
    }
    nodes: list[pg.Node] = []

    def f(*inputs: pg.Node) -> list[pg.Node]:
        given: dict[Leaf, Any] = {**variables, **dict(zip(program.fed, inputs, strict=True))}
        made = evaluated(
            program,
            lambda one: given[one] if one in given else pg.tensor(one.array),
            _node,
        )
        nodes[:] = [made[value] for value in program.outputs]
        nodes.extend(gradients(program, made, like))
        new = [made[value] for _, value in program.updates]
        for (leaf, _), node in zip(program.updates, new, strict=True):
            made[leaf].assign(node)
        return nodes

    with threads(program.threads):
        values = pg.function(f, engine=engine)(*[leaf.array for leaf in program.fed])
    changed = [variables[leaf].numpy() for leaf, _ in program.updates]
    return Results([*values, *changed], nodes)


def known(program: Program) -> Program:
    """The program with the shapes and dtypes of all placeholders known."""
    return program.replaced({leaf: Leaf.known(leaf.array) for leaf in program.fed})


@contextmanager
def threads(count: int) -> Generator[None]:
    """Run on `count` threads inside."""
    before = pg.get_num_threads()
    if count != before:
        pg.set_num_threads(count)
    try:
        yield
    finally:
        if count != before:
            pg.set_num_threads(before)
