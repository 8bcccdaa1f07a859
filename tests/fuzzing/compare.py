"""All styles of a program, held against the eager one as strictly as roundings allow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from fuzzing.loops import in_loop
from fuzzing.program import Array, Program, Role
from fuzzing.rounding import MANY_RUNS, RUNS, deviations
from fuzzing.run import Results, as_fed, deferred, eager, gradients, in_function, in_session

MARGIN = 4.0  # times what roundings moved an element by in a few tries

STYLES: dict[str, Callable[..., Results]] = {
    f"{name} on {engine}": partial(style, engine=engine)
    for engine in ("numpy", "native")
    for name, style in (("session", in_session), ("function", in_function), ("loop", in_loop))
}


def styles_of(seed: int) -> list[str]:
    """The styles that a seed's program is run in: one on each engine, for compiling takes long."""
    session, function, loop = "session on {}", "function on {}", "loop on {}"
    styles = (session, function) if seed % 2 else (function, loop if seed % 8 == 4 else session)
    return [style.format(engine) for style, engine in zip(styles, ("numpy", "native"), strict=True)]


@dataclass(frozen=True)
class Failure:
    """How a program's answer in one style differs from the eager one."""

    program: Program
    style: str
    what: str  # the kind of difference, or of exception
    detail: str
    place: int = 0  # which of the results differs

    def like(self, other: Failure | None) -> bool:
        """Whether another failure is of the same kind."""
        return other is not None and (self.style, self.what) == (other.style, other.what)


def examined(program: Program, styles: Sequence[str], seed: int = 0) -> Failure | None:
    """The first difference between eager values and those of the given styles, if there is one.

    What roundings may move is measured only where bits differ.
    """
    try:
        reference = eager(program)
    except Exception as error:
        return _raised(program, "eager", error)
    exact = [np.zeros(array.shape) for array in reference.arrays]
    measured = cache(partial(_tolerances, program, reference, seed))
    for style in styles:
        try:
            results = STYLES[style](program, like=reference.arrays)
        except Exception as error:
            return _raised(program, style, error)
        failure = _compared(program, style, results, reference, exact)
        for runs in (RUNS, MANY_RUNS):  # few runs may leave a sum of roundings at 0 by chance
            if failure is None:
                break
            try:
                tolerances = measured(runs)
            except Exception as error:
                return _raised(program, "deferred", error)
            failure = _compared(program, style, results, reference, tolerances)
        if failure is not None:
            return failure
    return None


def _raised(program: Program, style: str, error: Exception) -> Failure:
    text = " ".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
    return Failure(program, style, type(error).__name__, text)


def _tolerances(program: Program, reference: Results, seed: int, runs: int) -> list[Array]:
    """How far each element of each result may be from the eager one."""
    graph, made = deferred(program, as_fed)
    with graph:
        fetches = [made[value] for value in program.outputs]
        fetches += gradients(program, made, reference.arrays)
        fetches += [made[value] for _, value in program.updates]
    feeds = {made[x]: x.array for x in program.leaves if x.role is not Role.CONSTANT}
    found = deviations(fetches, feeds, seed, flushed=bool(program.updates), runs=runs)
    rows = zip(found, reference.arrays, strict=True)
    return [_tolerance(moved, array, flushed=bool(program.updates)) for moved, array in rows]


@np.errstate(all="ignore")
def _tolerance(moved: Array, array: Array, *, flushed: bool) -> Array:
    """What each element may be off by, from what roundings moved it by.

    Where they moved any, each may be off by the last place. `flushed`: subnormal numbers count as
    0 in a run that updates Variables.
    """
    tolerance = MARGIN * moved
    if array.dtype.kind == "f":
        info = np.finfo(array.dtype)
        if moved.any():
            tolerance += 2 * float(info.eps) * np.nan_to_num(np.abs(array.astype(np.float64)))
        if flushed:
            tolerance += float(info.tiny)
    return tolerance


def _compared(
    program: Program, style: str, results: Results, reference: Results, tolerances: list[Array]
) -> Failure | None:
    rows = zip(results.arrays, reference.arrays, tolerances, strict=True)
    for place, (found, expected, tolerance) in enumerate(rows):
        difference = _difference(np.asarray(found), expected, tolerance)
        if difference:
            return Failure(program, style, *difference, place)
    for place, (node, expected) in enumerate(zip(results.nodes, reference.arrays)):
        shape, dtype = node.shape, node.dtype
        if dtype not in (None, expected.dtype) or not _fits(shape, expected.shape):
            told = f"declared {shape} {dtype}, is {expected.shape} {expected.dtype}"
            return Failure(program, style, "declared", told, place)
    return None


def _fits(declared: Any, shape: tuple[int, ...]) -> bool:
    return declared is None or (
        len(declared) == len(shape)
        and all(a in (None, b) for a, b in zip(declared, shape, strict=True))
    )


@np.errstate(all="ignore")
def _difference(found: Array, expected: Array, tolerance: Array) -> tuple[str, str] | None:
    """What differs, in a word and in words."""
    if found.dtype != expected.dtype:
        return "dtype", f"is {found.dtype}, expected {expected.dtype}"
    if found.shape != expected.shape:
        return "shape", f"is {found.shape}, expected {expected.shape}"
    both_nan = (found != found) & (expected != expected)
    same = (
        (found == expected) & (np.signbit(found) == np.signbit(expected))
        if (found.dtype.kind == "f")
        else found == expected
    )
    apart = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    good = same | both_nan | (tolerance == np.inf) | ((tolerance > 0) & (apart <= tolerance))
    if good.all():
        return None
    at = tuple(int(i) for i in np.argwhere(~good)[0])
    how = "exactly" if tolerance[at] == 0 else f"within {tolerance[at]:.3g}"
    text = f"at {at} is {found[at]!r}, expected {expected[at]!r} {how}"
    return "value" if tolerance[
        at
    ] else "bits", f"{text}; {int((~good).sum())} of {good.size} differ"
