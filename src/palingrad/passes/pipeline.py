"""The pipeline: all passes in order, with the verifier after each in tests."""

from __future__ import annotations

import os
from collections.abc import Callable

from ..autodiff.gradients import Gradient
from ..graph.kinds import Composite
from ..graph.traversal.verify import verify
from .advance_rng import advance
from .common_subexpressions import share
from .expand import expand
from .fold_constants import fold
from .program import Program
from .simplify import simplify
from .stable import stabilise

# Folding feeds simplifying and the other way round; twice is enough for what is there today.
PASSES: tuple[Callable[[Program], Program], ...] = (
    stabilise,
    expand,
    advance,
    simplify,
    fold,
    share,
    simplify,
    fold,
    share,
)


def optimise(program: Program) -> Program:
    """The same computation with fewer and better operations, without composites.

    With PALINGRAD_VERIFY=1 in the environment the verifier looks at the result of every pass.
    """
    checking = os.environ.get("PALINGRAD_VERIFY") == "1"
    forbidden: tuple[type, ...] = (Gradient,)
    for one in PASSES:
        program = one(program)
        if one is expand:
            forbidden = (Gradient, Composite)
        if checking:
            verify(program.roots, forbidden=forbidden)
    return program
