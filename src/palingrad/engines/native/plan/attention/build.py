"""Replaces the products of each region by results of a recipe, which one kernel computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .....graph.context import graph_scope
from .....graph.kinds import AnonymousGraph, Contract, Reduce
from .....graph.leaves import Constant
from .....graph.node import Node
from .....graph.operation import Operation
from .....graph.traversal.order import postorder
from .....passes.program import Program
from .....shapes import sizes
from ...kernels.attention.recipe import Attended, Recipe
from ...kernels.formula import is_number
from ...kernels.kernel import Fused
from .causal import seen
from .factors import with_factors
from .find import Finder, Region


def with_attention(program: Program) -> Program:
    """The program with attention as recipes."""
    if not any(isinstance(node, Contract) for node in program.order):
        return program
    regions = Finder(program).regions()
    if not regions:
        return program
    with graph_scope(AnonymousGraph(), hidden=True):
        regions = with_factors(regions, program)
    region_of: dict[Node, Region] = {
        one.last: region for region in regions for one in region.results
    }
    inputs = {region: [x for x in region.inputs if not is_number(x)] for region in regions}

    def before(node: Node) -> Sequence[Node]:
        return inputs[region_of[node]] if node in region_of else node.inputs

    changed: dict[Node, Node] = {}
    with graph_scope(AnonymousGraph(), hidden=True):
        for node in postorder(*program.roots, inputs=before):
            if node in changed or not isinstance(node, Operation):
                continue
            if node in region_of:
                region = region_of[node]
                changed |= _results(region, inputs[region], changed)
            elif any(x in changed for x in node.inputs):
                changed[node] = node.rewired([changed.get(x, x) for x in node.inputs])
    return Program(
        program.feeds,
        tuple(changed.get(node, node) for node in program.outputs),
        tuple((variable, changed.get(value, value)) for variable, value in program.updates),
    )


def _results(
    region: Region, inputs: Sequence[Node], changed: Mapping[Node, Node]
) -> dict[Node, Node]:
    """The results of a region's recipe, by the products that they replace."""
    new = {x: changed.get(x, x) for x in inputs}
    own: dict[Node, Operation] = {}

    def known(x: Node) -> Node:
        return own[x] if x in own else new.get(x, x)

    for node in region.inner:
        given = region.factored[node].inputs if node in region.factored else node.inputs
        own[node] = node.clone([known(x) for x in given])
    chain = [own[node] for node in region.inner if not isinstance(node, Contract)]
    weights = tuple(dict.fromkeys(own[one.weights] for one in region.results))
    scalars = {node for node in chain if sizes(node.shape) != region.shape}
    read = tuple(dict.fromkeys(new.values()))
    recipe = Recipe(
        read,
        tuple(own[node] for node in region.products),
        Fused(tuple(chain), weights, {}, region.shape, frozenset(scalars)),
        tuple(
            replace(one, weights=own[one.weights], other=known(one.other)) for one in region.results
        ),
        tuple(
            region.factored[node].factor if node in region.factored else 1.0
            for node in region.products
        ),
        seen(region),
    )
    text = _text(recipe)
    return {
        one.last: Attended.of(recipe, part, read, text) for part, one in enumerate(region.results)
    }


def _text(recipe: Recipe) -> str:
    """The structure of a recipe: everything that its code depends on apart from the inputs."""
    numbers: dict[Node, int] = {x: number for number, x in enumerate(recipe.inputs)}

    def name(x: Node) -> str:
        if is_number(x):
            assert isinstance(x, Constant)
            return f"{x.dtype} {x.numpy().tobytes().hex()}"
        return str(numbers[x])

    words: list[str] = []
    for node in (*recipe.products, *recipe.chain.nodes):
        kind = type(node)
        attributes = sorted((key, repr(value)) for key, value in node.attributes.items())
        given = [name(x) for x in node.inputs]
        words.append(
            f"{kind.__module__}.{kind.__qualname__} {given} {attributes} {node.shape} {node.dtype}"
            f" {isinstance(node, Reduce)}"
        )
        numbers[node] = len(numbers)
    for one in recipe.results:
        words.append(f"{name(one.weights)} {name(one.other)} {one.of_columns} {one.turned}")
        words.append(one.factor.hex())
    return f"{words} {[one.hex() for one in recipe.factors]} {recipe.seen}"
