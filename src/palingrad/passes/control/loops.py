"""Loops in a Program: those that step alike become one, and what nobody reads is dropped.

The reverse pass runs a loop again with more results, those that it reads of the body, and forward
mode runs it again beside its tangents. Both are made of the body's own nodes, so a loop that
another contains is known by these, and the other's results are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...graph.context import graph_scope
from ...graph.kinds import AnonymousGraph, Layout
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import Item, Operation
from ...graph.regions.region import Region, form_of, parameter
from ...graph.registry import ops
from ...graph.traversal.order import postorder
from ...graph.traversal.replay import replay
from ...ops.control.loop import Loop
from ...shapes import sizes
from ..program import Program

_MOST = 40  # loops of a program that are compared with each other


def merge_loops(program: Program) -> Program:
    """The program without loops whose steps another loop takes too."""
    while Loop in program.kinds:
        loops = [node for node in program.order if type(node) is Loop]
        if not 1 < len(loops) <= _MOST:
            return program
        places = {loop: number for number, loop in enumerate(loops)}
        pair = next(
            ((a, b) for a in loops for b in loops if a is not b and _contains(b, a, places)), None
        )
        if pair is None:
            return program
        program = _merged(program, *pair)
    return program


def _contains(whole: Loop, part: Loop, places_of: dict[Any, int]) -> bool:
    """Whether a loop takes the steps of another, whose results its inputs don't depend on."""
    mine, theirs = whole.attributes, part.attributes
    if any(mine[name] != theirs[name] for name in ("length", "reverse")):
        return False
    places = {x: n for n, x in enumerate(whole.body.parameters)}
    groups = [_group(whole, n) for n in range(len(whole.inputs))]
    for number, x in enumerate(part.body.parameters):
        at = places.get(x)
        if at is None or whole.inputs[at] is not part.inputs[number]:
            return False
        if groups[at] != _group(part, number):
            return False
        if groups[at] == 0 and whole.body.results[at] is not part.body.results[number]:
            return False
    alike = len(whole.inputs) == len(part.inputs)
    if alike and whole.count <= part.count:  # one of two equal ones stays: the first
        equal = whole.count == part.count and places_of[whole] < places_of[part]
        if not equal:
            return False
    return part not in set(postorder(*whole.inputs))


def _group(loop: Loop, number: int) -> int:
    """0 for a carry, 1 for an array that is sliced, 2 for a capture."""
    first = loop.attributes["carries"]
    return (number >= first) + (number >= first + loop.attributes["slices"])


def _merged(program: Program, part: Loop, whole: Loop) -> Program:
    """The program in which `whole` computes the results of `part`."""
    first = part.attributes["carries"]
    places = {x: n for n, x in enumerate(whole.body.parameters)}
    results: list[Node] = list(whole.body.results)
    stacked = {y: n for n, y in enumerate(results) if n >= whole.attributes["carries"]}
    items: list[int] = [places[x] for x in part.body.parameters[:first]]
    for y in part.body.results[first:]:
        if y not in stacked:
            stacked[y] = len(results)
            results.append(y)
        items.append(stacked[y])

    def operands(node: Node) -> Sequence[Node]:
        return [whole if x is part else x for x in node.inputs]

    def rule(node: Operation, inputs: list[Any]) -> Node:
        if node is whole:
            return whole.with_regions([Region(whole.body.parameters, tuple(results))], inputs)
        if node.inputs[0] is part:
            return Item(inputs[0], index=items[node.attributes["index"]])
        return rewired(node, inputs)

    return replayed(program, rule, operands)


def rewired(node: Operation, inputs: Sequence[Any]) -> Operation:
    """The node on other inputs; itself if they are its own."""
    same = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
    return node if same else node.rewired(inputs)


def replayed(program: Program, rule: Any, operands: Any = None) -> Program:
    """The program rebuilt by a replay rule, which may read other operands than a node's inputs."""
    operands = operands or (lambda node: node.inputs)
    with graph_scope(AnonymousGraph(), hidden=True):
        built = replay(postorder(*program.roots, inputs=operands), rule, operands=operands)
    return Program(
        program.feeds,
        tuple(built[node] for node in program.outputs),
        tuple((variable, built[value]) for variable, value in program.updates),
    )


def prune_loops(program: Program) -> Program:
    """The program without results, carries and inputs of loops that nobody reads."""
    while Loop in program.kinds:
        loops = [node for node in program.order if type(node) is Loop]
        read: dict[Any, set[int]] = {loop: set() for loop in loops}
        for node in program.order:
            if type(node) is Item and node.inputs[0] in read:
                read[node.inputs[0]].add(node.attributes["index"])
        kept = {loop: _needed(loop, read[loop]) for loop in loops}
        kept = {
            loop: needed for loop, needed in kept.items()
            if (len(needed[0]), len(needed[1])) != (loop.count, len(loop.inputs))
        }  # fmt: skip
        if not kept:
            return program
        program = _pruned(program, kept)
    return program


def _needed(loop: Loop, read: set[int]) -> tuple[list[int], list[int]]:
    """The numbers of the results and of the inputs that are needed for the results `read`."""
    body, first = loop.body, loop.attributes["carries"]
    numbers: dict[Any, int] = {x: n for n, x in enumerate(body.parameters)}
    results, inputs = set(read), {n for n in read if n < first}
    stack = sorted(results)
    seen: set[Node] = set()

    def unseen(node: Node) -> Sequence[Node]:
        return () if node in seen else node.inputs

    while stack:
        for node in postorder(body.results[stack.pop()], inputs=unseen):
            seen.add(node)
            number = numbers.get(node)
            if number is not None and number not in inputs:
                inputs.add(number)
            if number is not None and number < first and number not in results:
                results.add(number)
                stack.append(number)
    inputs |= {n for n in results if n < first}
    return sorted(results), sorted(inputs)


def _pruned(program: Program, kept: dict[Loop, tuple[list[int], list[int]]]) -> Program:
    constant: dict[Node, dict[int, Node]] = {}

    def rule(node: Operation, inputs: list[Any]) -> Node:
        if type(node) is Loop and node in kept:
            results, given = kept[node]
            if not given:
                constant[node] = _same_in_all_steps(node, results)
                return node
            first = node.attributes["carries"]
            second = first + node.attributes["slices"]
            region = Region(
                tuple(node.body.parameters[n] for n in given),
                tuple(node.body.results[n] for n in results),
            )
            attributes: dict[str, Any] = {
                **node.attributes, "regions": (region,), "carries": sum(n < first for n in given),
                "slices": sum(first <= n < second for n in given),
            }  # fmt: skip
            return Loop.applied([inputs[n] for n in given], attributes)
        parent = node.inputs[0]
        if parent in constant and type(node) is Item:
            return constant[parent][node.attributes["index"]]
        if type(node) is Item and type(parent) is Loop and parent in kept:
            return Item(inputs[0], index=kept[parent][0].index(node.attributes["index"]))
        return rewired(node, inputs)

    return replayed(program, rule)


def _same_in_all_steps(loop: Loop, results: Sequence[int]) -> dict[int, Node]:
    """The stacks of a loop that reads no input: such a loop would look like a leaf."""
    return {
        n: ops.broadcast_to(y, (loop.attributes["length"], *sizes(y.shape)))
        for n, y in ((n, loop.body.results[n]) for n in results)
    }


def hoist(program: Program) -> Program:
    """The program in which what is the same in all steps of a loop is computed before it."""
    return program.rewritten(_hoisted, only={Loop})


def _hoisted(loop: Loop) -> Loop:
    body = loop.body
    first = loop.attributes["carries"] + loop.attributes["slices"]
    captured: dict[Node, Node] = dict(
        zip(body.parameters[first:], loop.inputs[first:], strict=True)
    )
    fixed: set[Node] = set(captured)
    for node in body.order:
        if isinstance(node, Constant) or (node.inputs and all(x in fixed for x in node.inputs)):
            fixed.add(node)
    ends = [
        x
        for x in dict.fromkeys(x for node in body.order if node not in fixed for x in node.inputs)
        if x in fixed and _is_worth(x, captured)
    ]
    if not ends or loop.attributes["length"] < 2:
        return loop
    built = replay(postorder(*ends), lambda node, inputs: node.rewired(inputs), captured)
    with graph_scope(AnonymousGraph(), hidden=True):
        given = {x: parameter(form_of(x), like=x) for x in ends}
        parameters = [parameter(form_of(x), like=x) for x in body.parameters]
        known = {**dict(zip(body.parameters, parameters, strict=True)), **given}
        order = postorder(*body.results, inputs=lambda x: () if x in given else x.inputs)
        inner = replay(order, lambda node, inputs: node.rewired(inputs), known)
    region = Region((*parameters, *given.values()), tuple(inner[node] for node in body.results))
    inputs = [*loop.inputs, *(built[x] for x in ends)]
    return Loop.applied(inputs, {**loop.attributes, "regions": (region,)})


def _is_worth(x: Node, captured: dict[Any, Node]) -> bool:
    """Whether a value that is the same in all steps takes work to compute: not a layout."""
    while isinstance(x, Layout) and len(x.inputs) == 1:
        x = x.inputs[0]
    return bool(x.inputs) and x not in captured and not isinstance(x, Item)


def inline_loops(program: Program) -> Program:
    """The program with the body in the place of a loop of one step."""
    if Loop not in program.kinds:
        return program
    if not any(type(node) is Loop and _is_single(node) for node in program.order):
        return program
    bodies: dict[Node, list[Node]] = {}

    def rule(node: Operation, inputs: list[Any]) -> Node:
        if type(node) is Loop and _is_single(node):
            bodies[node] = _results_of_one_step(node, inputs)
        elif node.inputs[0] in bodies and type(node) is Item:
            return bodies[node.inputs[0]][node.attributes["index"]]
        return rewired(node, inputs)

    return replayed(program, rule)


def _is_single(loop: Any) -> bool:
    return loop.attributes["length"] == 1


def _results_of_one_step(loop: Loop, inputs: Sequence[Any]) -> list[Node]:
    """The results of a loop of one step on these inputs."""
    given = [x[0] if _group(loop, n) == 1 else x for n, x in enumerate(inputs)]
    known: dict[Node, Node] = dict(zip(loop.body.parameters, given, strict=True))
    built = replay(loop.body.order, lambda one, inputs: one.rewired(inputs), known)
    carries = loop.attributes["carries"]
    return [
        built[y] if n < carries else ops.expand_dims(built[y], axis=0)
        for n, y in enumerate(loop.body.results)
    ]
