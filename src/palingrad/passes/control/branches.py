"""Branches and while loops in a Program: those that choose or repeat alike become one.

Forward mode runs a branch or a loop again beside its tangents, once for each direction. Switches of
one index become one switch with the results of all, in whose branches equal subexpressions are
merged. While loops that repeat alike are known, as in `loops.py`, by the nodes of their regions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...graph.context import graph_scope
from ...graph.kinds import AnonymousGraph
from ...graph.node import Node
from ...graph.operation import Item, Operation
from ...graph.regions.key import structural_key
from ...graph.regions.region import Region, form_of, parameter
from ...graph.traversal.order import postorder
from ...ops.control.branch import Switch
from ...ops.control.while_loop import WhileLoop
from ..common_subexpressions import common_subexpressions
from ..program import Program
from .loops import replayed, rewired

_MOST = 40  # operations of one kind of a program that are compared with each other

Merge = tuple[Operation, Sequence[int], Sequence[int]]  # and the new numbers of both's results


def merge_branches(program: Program) -> Program:
    """The program with one switch in place of independent ones of the same index."""
    if Switch in program.kinds and sum(type(node) is Switch for node in program.order) > 1:
        program = _merged(common_subexpressions(program), Switch, _choose_alike, _one_switch)
    return program


def merge_while_loops(program: Program) -> Program:
    """The program with one while loop in place of independent ones that repeat alike."""
    if WhileLoop not in program.kinds:
        return program
    program = _merged(program, WhileLoop, _repeat_alike, _one_loop)
    if sum(type(node) is WhileLoop for node in program.order) > 1:
        program = common_subexpressions(program)
        program = _merged(program, WhileLoop, _either_contains, _larger_loop)
    return program


def _merged(
    program: Program,
    kind: type[Operation],
    alike: Callable[[Any, Any], bool],
    one: Callable[[Any, Any, list[Node], list[Node]], Merge],
) -> Program:
    while True:
        nodes = [node for node in program.order if type(node) is kind]
        pair = next(_pairs(nodes, alike), None) if 1 < len(nodes) <= _MOST else None
        if pair is None:
            return program
        program = _replaced(program, *pair, one)


def _pairs(
    nodes: list[Operation], alike: Callable[[Any, Any], bool]
) -> Iterator[tuple[Operation, Operation]]:
    """Those that are alike, of which the second doesn't depend on the first."""
    for number, second in enumerate(nodes):
        others = [first for first in nodes[:number] if alike(first, second)]
        before = set(postorder(*second.inputs)) if others else ()
        yield from ((first, second) for first in others if first not in before)


def _replaced(
    program: Program,
    first: Operation,
    second: Operation,
    one: Callable[[Any, Any, list[Node], list[Node]], Merge],
) -> Program:
    """The program with one operation in place of two."""
    found: list[Merge] = []

    def operands(node: Node) -> Sequence[Node]:
        if node is second:
            return [*first.inputs, *second.inputs]
        return [second if x is first else x for x in node.inputs]

    def rule(node: Operation, inputs: list[Any]) -> Node:
        if node is second:
            count = len(first.inputs)
            found.append(one(first, second, inputs[:count], inputs[count:]))
            return found[0][0]
        whole = node.inputs[0] if type(node) is Item else None
        if whole is first or whole is second:
            numbers = found[0][1 if whole is first else 2]
            return Item(inputs[0], index=numbers[node.attributes["index"]])
        return rewired(node, inputs)

    return replayed(program, rule, operands)


# ---------------------------------------------------------------- branches


def _choose_alike(a: Switch, b: Switch) -> bool:
    return a.inputs[0] is b.inputs[0] and len(a.regions) == len(b.regions)


def _one_switch(a: Switch, b: Switch, xs: list[Node], ys: list[Node]) -> Merge:
    """The switch that computes the results of both."""
    inputs = [*dict.fromkeys([*xs[1:], *ys[1:]])]
    regions: list[Region] = []
    for first, second in zip(a.regions, b.regions, strict=True):
        with graph_scope(AnonymousGraph(), hidden=True):
            given = {x: parameter(form_of(x), like=x) for x in inputs}
            results = [
                y
                for region, values in ((first, xs), (second, ys))
                for y in region.inlined([given[x] for x in values[1:]])
            ]
        regions.append(Region(tuple(given.values()), tuple(results)))
    new = Switch.applied([xs[0], *inputs], {**a.attributes, "regions": tuple(regions)})
    return new, range(a.count), range(a.count, a.count + b.count)


# ---------------------------------------------------------------- while loops


def _repeat_alike(a: WhileLoop, b: WhileLoop) -> bool:
    """Whether the loops have the same condition, of carries that both compute alike."""
    if a.attributes["max_steps"] != b.attributes["max_steps"]:
        return False
    (asked, body), (question, other) = a.regions, b.regions
    if asked.results[0] is not question.results[0]:
        return False
    places = {x: n for n, x in enumerate(body.parameters)}
    places_asked = {x: n for n, x in enumerate(asked.parameters)}
    for n, (x, q) in enumerate(zip(other.parameters, question.parameters, strict=True)):
        at = places.get(x)
        if at != places_asked.get(q):
            return False
        if at is None:
            continue
        if a.inputs[at] is not b.inputs[n] or (at < a.count) != (n < b.count):
            return False
        if n < b.count and body.results[at] is not other.results[n]:
            return False
    read = set(postorder(asked.results[0])) & set(question.parameters)
    return read <= set(places_asked)


def _either_contains(a: WhileLoop, b: WhileLoop) -> bool:
    return _places_in(b, a) is not None or _places_in(a, b) is not None


def _places_in(whole: WhileLoop, part: WhileLoop) -> list[int] | None:
    """For each input of a loop the number of the input by which another loop, which computes the
    same and more, has it; None if it doesn't. The regions' nodes may differ: under `vmap` the
    loop of tangents is rebuilt, and the loop of values isn't."""
    if whole.attributes["max_steps"] != part.attributes["max_steps"] or whole.count < part.count:
        return None
    places: list[int] = []
    for n, x in enumerate(part.inputs):
        group = range(whole.count) if n < part.count else range(whole.count, len(whole.inputs))
        at = next((m for m in group if whole.inputs[m] is x and m not in places), None)
        if at is None:
            return None
        places.append(at)
    for n, (mine, theirs) in enumerate(zip(whole.regions, part.regions, strict=True)):
        results = [mine.results[m] for m in places[: part.count]] if n else mine.results
        own = [mine.parameters[m] for m in places]
        key = structural_key(own, results, postorder(*results))
        if key != structural_key(theirs.parameters, theirs.results, theirs.order):
            return None
    return places


def _larger_loop(a: WhileLoop, b: WhileLoop, xs: list[Node], ys: list[Node]) -> Merge:
    """The loop that computes the results of both."""
    places = _places_in(b, a)
    if places is not None:
        return b.with_regions(b.regions, ys), places[: a.count], range(b.count)
    places = _places_in(a, b)
    assert places is not None
    return a.with_regions(a.regions, xs), range(a.count), places[: b.count]


def _one_loop(a: WhileLoop, b: WhileLoop, xs: list[Node], ys: list[Node]) -> Merge:
    """The loop with the carries of both."""
    (asked, body), (question, other) = a.regions, b.regions
    places = {x: n for n, x in enumerate(body.parameters)}
    new = [n for n, x in enumerate(other.parameters) if x not in places]
    carries, captures = [n for n in new if n < b.count], [n for n in new if n >= b.count]

    def joined(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
        return [*first[: a.count], *(second[n] for n in carries),
                *first[a.count :], *(second[n] for n in captures)]  # fmt: skip

    regions = (
        Region(tuple(joined(asked.parameters, question.parameters)), asked.results),
        Region(
            tuple(joined(body.parameters, other.parameters)),
            (*body.results, *(other.results[n] for n in carries)),
        ),
    )
    count = a.count + len(carries)
    loop = WhileLoop.applied(joined(xs, ys), {**a.attributes, "regions": regions, "carries": count})
    numbers = [
        places[x] if x in places else a.count + carries.index(n)
        for n, x in enumerate(other.parameters[: b.count])
    ]
    return loop, range(a.count), numbers
