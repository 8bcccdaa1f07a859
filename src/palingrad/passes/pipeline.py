"""The pass pipeline: all passes in order, in tests with the verifier after each."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

from ..autodiff.gradients import Gradient
from ..graph.kinds import Composite
from ..graph.traversal.verify import verify
from .advance_rng import advance_rng
from .common_subexpressions import common_subexpressions
from .expand import expand
from .fold_constants import fold
from .program import Program
from .simplify import simplify
from .stable import stabilise

Pass: TypeAlias = Callable[[Program], Program]

# Folding enables simplifications and vice versa; two rounds reach a fixed point for today's rules.
SIMPLIFICATIONS: tuple[Pass, ...] = 2 * (simplify, fold, common_subexpressions)
PASSES: tuple[Pass, ...] = (stabilise, expand, advance_rng, *SIMPLIFICATIONS)


def optimise(program: Program) -> Program:
    """An equivalent Program with fewer and cheaper operations, without composites.

    With PALINGRAD_VERIFY=1 in the environment the verifier checks the result of every pass.
    """
    checking = os.environ.get("PALINGRAD_VERIFY") == "1"
    forbidden: tuple[type, ...] = (Gradient,)
    for rewrite in PASSES:
        program = rewrite(program)
        if rewrite is expand:
            forbidden = (Gradient, Composite)
        if checking:
            verify(program.roots, forbidden=forbidden)
    return program
