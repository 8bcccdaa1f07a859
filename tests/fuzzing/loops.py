"""A program in the body of a loop: three steps with the same arrays, of which one is compared.

The native engine has kernels for bodies (`engines/native/kernels/loop/`), in which every operation
is code of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import palingrad as pg
from fuzzing.program import Array, Call, Program, Role, evaluated
from fuzzing.run import Results, gradients, in_function, threads
from palingrad.ops.random import Dropout

STEPS = 3


def fits_a_body(program: Program) -> bool:
    """Whether the program may be a body: it draws no random numbers and assigns nothing."""
    kinds = (value.operation for value in program.order if isinstance(value, Call))
    random = Dropout.__module__  # composites of random numbers are of no kind of their own
    return not program.updates and not any(kind.__module__ == random for kind in kinds)


def in_loop(program: Program, engine: str, like: Sequence[Array]) -> Results:
    """Scanned over rows that are equal; the last step's results, and the gradients by it."""
    if not fits_a_body(program):
        return in_function(program, engine, like)
    leaves = [leaf for leaf in program.leaves if leaf.role is not Role.CONSTANT]

    def f(*stacks: pg.Node) -> list[pg.Node]:
        def body(carry: Any, rows: Any) -> Any:
            given = dict(zip(leaves, rows, strict=True))
            made = evaluated(
                program,
                lambda one: given[one] if one in given else pg.tensor(one.array),
                lambda value, *inputs: value.operation(*inputs, **value.attributes),
            )
            found = [made[value] for value in program.outputs]
            return carry + 1, tuple(found + gradients(program, made, like))

        _, found = pg.scan(body, np.int64(0), tuple(stacks), length=STEPS)
        return [y[STEPS - 1] for y in found]

    stacks = [np.stack([leaf.array] * STEPS) for leaf in leaves]
    with threads(program.threads):
        values = pg.function(f, engine=engine)(*stacks)
    return Results([*values], [])
