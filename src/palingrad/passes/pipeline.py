"""The pass pipeline: all passes in order, in tests with the verifier after each."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

from ..autodiff.gradients import Gradient
from ..errors import GraphError
from ..graph.kinds import Composite
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.regions.region import Region, is_optimised, marked_optimised
from ..graph.regions.regional import Regional
from ..graph.traversal.verify import verify
from .advance_rng import advance_rng
from .common_subexpressions import common_subexpressions
from .control.branches import merge_branches, merge_while_loops
from .control.loops import hoist, inline_loops, merge_loops, prune_loops
from .control.zeros import drop_zeros
from .expand import expand
from .fold_constants import fold
from .program import Program
from .simplify import simplify
from .stable import stabilise
from .sums_of_products import sums_of_products
from .sums_of_slices import sums_of_slices

Pass: TypeAlias = Callable[[Program], Program]


def regions(program: Program) -> Program:
    """The program with the regions of loops and branches optimised by all passes, too."""
    return program.rewritten(_optimised) if program.has(Regional) else program


def _optimised(node: Operation) -> Node:
    if not isinstance(node, Regional) or all(map(is_optimised, node.regions)):
        return node
    return node.with_regions([optimised(region) for region in node.regions])


def optimised(region: Region) -> Region:
    """The region, optimised by all passes."""
    if is_optimised(region):
        return region
    program = optimise(Program(region.parameters, region.results))
    given = set(region.parameters)
    for leaf in program.order:
        if not (leaf in given or isinstance(leaf, (Constant, Operation))):
            raise GraphError(
                f"{leaf.label()} is read in the body of a loop or branch by a composite that "
                f"doesn't have it as an input{leaf.built()}.",
                hint="Pass it to the composite as an argument.",
            )
    return marked_optimised(Region(region.parameters, program.outputs))


# Folding enables simplifications and vice versa; two rounds reach a fixed point for today's rules.
SIMPLIFICATIONS: tuple[Pass, ...] = 2 * (simplify, fold, common_subexpressions)
PASSES: tuple[Pass, ...] = (
    merge_loops, merge_while_loops, merge_branches, prune_loops, inline_loops, stabilise, expand,
    regions, drop_zeros, regions, prune_loops, hoist, sums_of_products, sums_of_slices, advance_rng,
    *SIMPLIFICATIONS,
)  # fmt: skip


def optimise(program: Program) -> Program:
    """An equivalent Program with fewer and cheaper operations, without composites.

    With PALINGRAD_VERIFY=1 in the environment the verifier checks the result of every pass: after
    each pass that changed something the nodes that it made, at the end all nodes.
    """
    checking = os.environ.get("PALINGRAD_VERIFY") == "1"
    forbidden: tuple[type, ...] = (Gradient,)
    inside: tuple[type, ...] = (Gradient,)  # regions, which the pass `regions` optimises
    verified: set[Node] = set()
    looked_at: tuple[object, ...] = ()  # the Program verified last, and what it may not hold
    settled: dict[Callable[[Program], Program], Program] = {}  # what a pass returned unchanged
    for rewrite in PASSES:
        if settled.get(rewrite) is program:
            continue
        before, program = program, rewrite(program)
        if program is before:
            settled[rewrite] = program
        if rewrite is expand:
            forbidden = (Gradient, Composite)
        if rewrite is regions:
            inside = forbidden
        if checking and (found := (program, forbidden, inside)) != looked_at:
            looked_at = found
            verified = verify(
                program.roots,
                forbidden=forbidden,
                inside=inside,
                verified=verified,
                order=program.order,
            )
    if checking:
        verify(program.roots, forbidden=forbidden)
    return program
