"""Random programs: operations placed one after another on what is there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import palingrad as pg
from fuzzing.formulas import operation, random_formula
from fuzzing.place import REFUSALS, Pool, place
from fuzzing.program import Leaf, Program, Role, Value, inputs_of
from fuzzing.run import eager
from fuzzing.values import Palette
from palingrad.graph.operation import Item, Operation
from palingrad.graph.registry import name_of
from palingrad.ops.elementwise.complexes import Complex
from palingrad.ops.state import AssignVariable, Group, Latest
from palingrad.proof import shipped

# Operations that no graph is drawn with by themselves, and why.
ELSEWHERE: dict[type[Operation], str] = {
    AssignVariable: "has no value of its own: a program's updates are assignments",
    Item: "comes with each operation of several outputs",
    Group: "has no value",
    Latest: "is made by a trace, of a Variable that it assigned",
    Complex: "gives complex numbers, which programs have none of",
}
FORMULAS = 0.15


def operations() -> list[type[Operation]]:
    """All operations that graphs are drawn from: an engine's own come of these.

    Linear algebra isn't among them: of random matrices some are singular or nearly so. Nor are
    Fourier transforms, which give complex numbers, and what transforms make of functions.
    """
    left_out = (
        "palingrad.engines.", "palingrad.ops.linalg.", "palingrad.ops.fourier.",
        "palingrad.autodiff.", "palingrad.ops.control.",  # whose attributes are graphs
    )  # fmt: skip
    found = [
        one for one in shipped() if one not in ELSEWHERE and not one.__module__.startswith(left_out)
    ]
    return sorted(found, key=name_of)  # a seed's graph is the same whatever was imported before


def drawn(
    seed: int, *, most: int = 80, formulas: float = FORMULAS, half: bool | None = None
) -> Program:
    """The program of a seed, of 5 to `most` operations, most programs small.

    `formulas` is the share of the user's own operations, `half` whether there is float16.
    """
    rng = np.random.default_rng(seed)
    count = int(5 * (most / 5) ** (rng.random() ** 2))
    half = bool(rng.random() < 0.1) if half is None else half
    large = bool(rng.random() < 0.15)
    pool = Pool(rng, Palette.drawn(rng, half=half, large=large))
    choices = operations()
    for _ in range(count):
        if rng.random() < formulas:
            _place_formula(pool)
        else:
            place(pool, choices[rng.integers(len(choices))])
    return _finished(pool, large)


def _place_formula(pool: Pool) -> None:
    made = operation(random_formula(pool.rng))
    names = made.f.__code__.co_argcount - 1
    made.samples = [pg.case(*((3, 4),) * names), pg.case(*(np.array([1, 2, -1]),) * names)]
    try:
        place(pool, made)
    except AssertionError:
        return  # a formula may suit no dtype that is at hand, as ~x no floats


def _finished(pool: Pool, large: bool) -> Program:
    rng = pool.rng
    values = list(pool.nodes)
    used: set[Value] = {x for value in values for x in inputs_of(value)}
    outputs = [
        value
        for value in values
        if not isinstance(value, Leaf) and (value not in used or rng.random() < 0.15)
    ]
    program = Program(
        tuple(outputs),
        tuple(_updates(pool, values)),
        int(rng.choice([0, 1, 1, 1, 2])),
        int(rng.integers(1, 4)) if large or rng.random() < 0.2 else 1,
    )
    return _differentiable(program)


def _updates(pool: Pool, values: list[Value]) -> list[tuple[Leaf, Value]]:
    """New values for some of the Variables, of their own shape and dtype."""
    found: list[tuple[Leaf, Value]] = []
    for leaf in values:
        if not (isinstance(leaf, Leaf) and leaf.role is Role.VARIABLE and pool.chance(0.4)):
            continue
        form = leaf.array.shape, leaf.array.dtype
        fitting: list[Value] = [
            value
            for value in values
            if not isinstance(value, Leaf)
            and (pool.nodes[value].shape, pool.nodes[value].dtype) == form
        ]
        if fitting:
            found.append((leaf, fitting[pool.rng.integers(len(fitting))]))
    return found


def _differentiable(program: Program) -> Program:
    """The program with derivatives of the highest order up to its own that exist."""
    while program.derivatives:
        try:
            eager(program)
            return program
        except (*REFUSALS, ArithmeticError):  # a formula of the user's may divide by its own 0
            program = replace(program, derivatives=program.derivatives - 1)
    return program
