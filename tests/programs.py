"""Programs of small functions, for the tests of passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import palingrad as pg
from palingrad.passes.expand import expand
from palingrad.passes.program import Program
from palingrad.passes.specialise import specialise


def program_of(f: Callable[..., Any], *arrays: Any) -> Program:
    """The specialised program of a function for inputs such as these."""
    xs = [pg.placeholder(name=f"x{number}") for number in range(len(arrays))]
    with pg.Graph():
        y = f(*xs)
    fetches = y if isinstance(y, list) else [y]
    fed = {x: (np.shape(a), np.asarray(a).dtype) for x, a in zip(xs, arrays, strict=True)}
    return specialise(fetches, fed)


def run(program: Program, *arrays: Any) -> Any:
    """What the program computes, by the numpy engine, after composites are taken apart."""
    expanded = expand(Program(program.feeds, program.outputs))
    return pg.get_engine("numpy").compile(expanded)(list(arrays))


def names(program: Program) -> list[str]:
    """The operations of a program in order, by kind."""
    return [node.kind_name() for node in program.order if isinstance(node, pg.Operation)]
