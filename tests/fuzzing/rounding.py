"""How far roundings may move each number of a result: Monte Carlo arithmetic.

A program is interpreted several times with a maths namespace in which every function that engines
round differently is off by some units in the last place, at random. What an element moves by is
its tolerance: 0 where all is exact (then bits must agree), large where the graph is badly
conditioned, infinite where roundings decide a branch. So no operation needs a tolerance of its own,
and a comparison, a floor or an argmax may stand anywhere.

D. S. Parker, "Monte Carlo arithmetic: exploiting randomness in floating-point arithmetic" (1997).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fuzzing.program import Array
from fuzzing.shaken import Shaken
from palingrad.graph.kinds import Custom, Elementwise
from palingrad.graph.leaves import Placeholder
from palingrad.graph.node import Node
from palingrad.graph.operation import Operation
from palingrad.maths import numpy_maths
from palingrad.passes.expand import expand
from palingrad.passes.program import Program as NodeProgram
from palingrad.passes.specialise import specialise
from palingrad.passes.stable import stabilise

RUNS, MANY_RUNS = 5, 100  # at first, and before a difference is believed
ULPS = 16.0  # some times what functions are off by, so that the next rounding does not undo it


def deviations(
    fetches: Sequence[Node],
    feeds: dict[Placeholder, Array],
    seed: int,
    *,
    flushed: bool,
    runs: int = RUNS,
) -> list[Array]:
    """For each element of each fetched node how far roundings move it; inf where anything goes.

    `flushed`: subnormal numbers may count as 0.
    """
    signature = {node: (array.shape, array.dtype) for node, array in feeds.items()}
    program = expand(stabilise(specialise(fetches, signature)))
    arrays = list(feeds.values())
    plain = interpreted(program, arrays, numpy_maths)
    moved = [np.zeros(value.shape) for value in plain]
    if flushed:
        _widen(moved, plain, interpreted(program, arrays, numpy_maths, flush=True))
    for maths in _shaken(seed, runs):
        try:
            _widen(moved, plain, interpreted(program, arrays, maths))
        except ValueError:  # roundings decide whether a value is refused, as points out of order
            return [np.full(value.shape, np.inf) for value in plain]
    return moved


def _shaken(seed: int, runs: int) -> Iterator[Any]:
    """One namespace for either sign that an open 0 may have, and some that round otherwise."""
    for number, sign in enumerate((1.0, -1.0)):
        yield Shaken(np.random.default_rng((seed, number)), 0.0, sign).maths()
    for number in range(runs):
        yield Shaken(np.random.default_rng((seed, 2 + number)), ULPS, None).maths()


@np.errstate(all="ignore")
def interpreted(
    program: NodeProgram, feeds: Sequence[Array], maths: Any, *, flush: bool = False
) -> list[Array]:
    """The outputs of a program, each operation computed by its own formula with `maths`."""
    values: dict[Node, Any] = dict(zip(program.feeds, feeds, strict=True))
    for node in program.order:
        if node in values:
            continue
        if not isinstance(node, Operation):
            values[node] = node.numpy()
            continue
        inputs = [values[x] for x in node.inputs]
        if isinstance(node, Custom):
            values[node] = node.compute(*inputs)
        else:
            values[node] = node.f(maths, *inputs, **node.attributes)
        if isinstance(node.dtype, np.dtype):
            value = np.asarray(values[node]).astype(node.dtype, copy=False)
            if isinstance(node, Elementwise):  # its formula may not use an input
                value = np.broadcast_to(value, node.shape)
            values[node] = _flushed(value) if flush and node.dtype.kind == "f" else value
    return [values[node] for node in program.outputs]


def _flushed(x: Array) -> Array:
    return np.where(np.abs(x) < np.finfo(x.dtype).tiny, np.copysign(np.zeros_like(x), x), x)


def _widen(moved: Sequence[Array], plain: Sequence[Array], others: Sequence[Array]) -> None:
    for total, one, other in zip(moved, plain, others, strict=True):
        np.maximum(total, _distance(one, other), out=total)


@np.errstate(all="ignore")
def _distance(one: Array, other: Array) -> Array:
    """|one − other|: 0 where both are NaN or the same infinity, inf where one alone is.

    Between 0 and −0 it is as small as can be.
    """
    same = (one == other) | ((one != one) & (other != other))
    if one.dtype.kind == "f":
        same &= (one != 0) | (np.signbit(one) == np.signbit(other))
    apart = np.abs(one.astype(np.float64) - other.astype(np.float64))
    return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, np.maximum(apart, 5e-324)))
