"""Matrix products of a loop that needn't wait for its steps become one product of all steps.

A carry that adds up products Pₜ Qₜ, as the gradient of a weight does, is Σₜ Pₜ Qₜ: the factors are
stacked, and one product after the loop sums over steps as well. A product of a row of xs and a
matrix that is the same in all steps is one product before the loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..graph.node import Node
from ..graph.operation import Item, Operation
from ..graph.regions.region import Region, form_of, parameter
from ..graph.registry import ops
from ..graph.traversal.replay import replay
from ..ops.contract import Matmul
from ..ops.control.loop import Loop
from ..ops.elementwise.arithmetic import Add
from ..ops.layout.move import ExpandDims, MatrixTranspose
from .control.loops import replayed, rewired
from .program import Program

_MOST = 1 << 28  # bytes of a stack that is made for one product


def sums_of_products(program: Program) -> Program:
    """The program in which products of loops are taken of all steps at once, where they can be."""
    if Loop not in program.kinds:
        return program
    program = program.rewritten(_before, only={Loop})
    found = {loop: _sums(loop) for loop in program.order if type(loop) is Loop}
    found = {loop: sums for loop, sums in found.items() if sums}
    return _after(program, found) if found else program


def _before(node: Any) -> Node:
    """The loop with products of rows and captures taken before it."""
    if node.attributes["length"] < 2:
        return node
    loop, body = node, node.body
    first = loop.attributes["carries"]
    second = first + loop.attributes["slices"]
    places: dict[Any, int] = {x: n for n, x in enumerate(body.parameters)}
    products = [
        one for one in body.order
        if type(one) is Matmul and first <= places.get(one.inputs[0], -1) < second
        and places.get(one.inputs[1], -1) >= second and one.inputs[1].ndim == 2
        and _fits(loop, one)
    ]  # fmt: skip
    if not products:
        return loop
    given = {one: parameter((one.shape, one.dtype, None), like=one) for one in products}
    parameters = [parameter(form_of(x), like=x) for x in body.parameters]
    known: dict[Node, Node] = {**dict(zip(body.parameters, parameters, strict=True)), **given}
    built = replay(body.order, lambda one, inputs: one.rewired(inputs), known)
    region = Region(
        (*parameters[:second], *given.values(), *parameters[second:]),
        tuple(built[y] for y in body.results),
    )
    rows = [
        ops.matmul(loop.inputs[places[one.inputs[0]]], loop.inputs[places[one.inputs[1]]])
        for one in products
    ]
    inputs = [*loop.inputs[:second], *rows, *loop.inputs[second:]]
    slices = loop.attributes["slices"] + len(rows)
    return Loop.applied(inputs, {**loop.attributes, "regions": (region,), "slices": slices})


def _fits(loop: Loop, node: Any) -> bool:
    """Whether the node's values in all steps take reasonable memory."""
    size = node.dtype.itemsize * loop.attributes["length"]
    for one in node.shape:
        size *= one
    return size <= _MOST


def _sums(loop: Loop) -> dict[int, Matmul]:
    """The products that carries add up, by the numbers of the carries."""
    body, found = loop.body, dict[int, Matmul]()
    if loop.attributes["checkpoint"] or loop.attributes["length"] < 2:
        return found
    uses = Counter(x for node in body.order for x in node.inputs)
    uses.update(body.results)
    for number in range(loop.attributes["carries"]):
        x, y = body.parameters[number], body.results[number]
        if type(y) is not Add or uses[x] != 1 or uses[y] != 1:
            continue
        others = [one for one in y.inputs if one is not x]
        if len(others) != 1 or type(others[0]) is not Matmul or uses[others[0]] != 1:
            continue
        product = others[0]
        factors = product.inputs
        if all(one.ndim == 2 and _fits(loop, one) for one in factors) and (
            (product.shape, product.dtype) == (x.shape, x.dtype)
        ):
            found[number] = product
    return found


def _after(program: Program, found: dict[Loop, dict[int, Matmul]]) -> Program:
    """The program in which these loops stack factors, whose products are summed after them."""
    stacks: dict[Loop, dict[Node, None]] = {}  # results that are added to a loop
    kept: dict[Loop, list[int]] = {}
    for loop, sums in found.items():
        kept[loop] = [n for n in range(loop.count) if n not in sums]
        stacks[loop] = {}
        for product in sums.values():
            for factor in product.inputs:
                source = _source(factor)
                if _row_of(loop, source) is None:
                    stacks[loop][source] = None

    def rule(node: Operation, inputs: list[Any]) -> Node:
        if type(node) is Loop and node in found:
            return _stacking(node, inputs, kept[node], list(stacks[node]))
        parent = node.inputs[0]
        if type(node) is not Item or type(parent) is not Loop or parent not in found:
            return rewired(node, inputs)
        number = node.attributes["index"]
        if number in kept[parent]:
            return Item(inputs[0], index=kept[parent].index(number))
        whole: Loop = inputs[0]
        dropped = [n for n in found[parent] if n < parent.attributes["carries"]]
        factors = [
            _stacked(factor, parent, whole, len(kept[parent]), list(stacks[parent]), len(dropped))
            for factor in found[parent][number].inputs
        ]
        return ops.add(begins[parent][number], _total(*factors))

    begins: dict[Loop, dict[int, Node]] = {}

    def keeping(node: Operation, inputs: list[Any]) -> Node:
        if type(node) is Loop and node in found:
            begins[node] = {n: inputs[n] for n in found[node]}
        return rule(node, inputs)

    return replayed(program, keeping)


def _total(x: Any, y: Any) -> Node:
    """Σₜ xₜ yₜ of (steps, rows, k) and (steps, k, columns). A sum of outer products is one product
    of two matrices; as a batch of products each of which has one term it would be broadcast."""
    if x.shape[-1] != 1:
        return ops.sum(ops.matmul(x, y), axis=0)
    columns, rows = ops.squeeze(x, axis=-1), ops.squeeze(y, axis=-2)  # (steps, ·)
    return ops.matmul(ops.matrix_transpose(columns), rows)


def _source(factor: Node) -> Node:
    """What is stacked for a factor, whose layout is taken of the whole stack."""
    while type(factor) in (MatrixTranspose, ExpandDims):
        factor = factor.inputs[0]
    return factor


def _row_of(loop: Loop, node: Node) -> int | None:
    """The number of the sliced input whose row the node is."""
    first = loop.attributes["carries"]
    rows = loop.body.parameters[first : first + loop.attributes["slices"]]
    return next((first + n for n, x in enumerate(rows) if x is node), None)


def _stacking(loop: Loop, inputs: Sequence[Any], kept: list[int], stacks: list[Node]) -> Loop:
    carries = loop.attributes["carries"]
    given = [n for n in range(len(inputs)) if n >= carries or n in kept]
    region = Region(
        tuple(loop.body.parameters[n] for n in given),
        (*(loop.body.results[n] for n in kept), *stacks),
    )
    first = sum(n < carries for n in given)
    attributes = {**loop.attributes, "regions": (region,), "carries": first}
    return Loop.applied([inputs[n] for n in given], attributes)


def _stacked(
    factor: Node, loop: Loop, whole: Loop, kept: int, stacks: list[Node], dropped: int
) -> Node:
    """The factor in all steps, (steps, rows, columns)."""
    source = _source(factor)
    row = _row_of(loop, source)
    if row is None:
        place = next(n for n, x in enumerate(stacks) if x is source)
        found: Node = Item(whole, index=kept + place)
    else:
        found = whole.inputs[row - dropped]
    return _laid_out(found, factor, source)


def _laid_out(stack: Node, factor: Any, source: Node) -> Node:
    """The stack of a source in the layout of the factor."""
    layouts: list[Any] = []
    while factor is not source:
        layouts.append(factor)
        factor = factor.inputs[0]
    for one in reversed(layouts):
        if type(one) is MatrixTranspose:
            stack = ops.matrix_transpose(stack)
        else:
            stack = ops.reshape(stack, (stack.shape[0], *one.shape))  # pyright: ignore
    return stack
