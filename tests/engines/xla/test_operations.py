"""Every operation of the library computes on XLA what it computes by NumPy.

Its samples in float32 and float64, many operations in a Program; derivatives are made of
operations. PALINGRAD_WHOLE=1 runs the battery's check with gradients instead, which takes minutes.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.selection import get_engine
from palingrad.graph.kinds import Factorisation, Transform
from palingrad.graph.leaves import Placeholder
from palingrad.graph.traversal.order import postorder
from palingrad.passes.pipeline import optimise
from palingrad.passes.specialise import specialise
from palingrad.proof.battery import check_named, subject_of_all
from palingrad.proof.case import Case
from palingrad.proof.tolerances import assert_close
from test_battery import OPERATIONS

pytest.importorskip("jax", reason="JAX isn't installed: make test-scale")

TOGETHER = 24
GROUPS = [OPERATIONS[n : n + TOGETHER] for n in range(0, len(OPERATIONS), TOGETHER)]
FLUSHED = {"Exponent"}  # of numbers below the smallest normal one, which XLA takes for 0
# What NumPy computes may become less, by a mapping, and not more unnoticed.
KINDS_OF_NUMPY = (Factorisation, Transform)
MOST_OF_NUMPY = 49  # other operations, with those that are computed on the device for real numbers


def program_of(operations: Any) -> tuple[Any, list[Any], list[str]]:
    """One Program of all samples, its feeds, and the name of each output."""
    feeds: dict[Any, Any] = {}
    fetches: list[Any] = []
    names: list[str] = []
    with pg.Graph():
        for operation in operations:
            for sample in operation.samples:
                for dtype in (np.float32, np.float64):
                    case = Case(operation, sample)
                    arrays = case.arrays(dtype)
                    xs = [pg.placeholder(x.shape, dtype=x.dtype) for x in arrays]
                    ys = case.outputs(*xs)
                    feeds.update(zip(xs, arrays, strict=True))
                    fetches += ys
                    names += [f"{operation.__name__} {sample.text} {dtype.__name__}"] * len(ys)
    used = [x for x in postorder(*fetches) if isinstance(x, Placeholder)]
    forms = {x: (feeds[x].shape, feeds[x].dtype) for x in used}
    return optimise(specialise(fetches, forms)), [feeds[x] for x in used], names


hosted: dict[str, str] = {}


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{group[0].__name__}…")
def test_operations_compute_what_numpy_computes(group):
    if os.environ.get("PALINGRAD_WHOLE"):
        whole = [one for one in group if one.__name__ not in FLUSHED]  # they are compared below
        assert check_named("engines_agree").fault(subject_of_all(whole, ["xla"])) is None
    program, arrays, names = program_of(group)
    executable: Any = get_engine("xla").compile(program)
    found = executable(arrays)
    expected = get_engine("numpy").compile(program)(arrays)
    wrong: list[str] = []
    for name, a, b in zip(names, found, expected, strict=True):
        try:
            assert_close(a, b, name)
        except AssertionError as error:
            wrong += [] if name.split()[0] in FLUSHED and "1e-310" in name else [str(error)]
    assert wrong == []
    for node, reason in executable.trace.hosted.items():
        if not isinstance(node, KINDS_OF_NUMPY):
            hosted[type(node).__name__] = reason


def test_arrays_without_elements():
    check = check_named("empty_arrays_agree")
    faults = [check.fault(subject_of_all(group, ["xla"])) for group in GROUPS]
    assert [str(fault.error) for fault in faults if fault is not None] == []


def test_few_operations_are_numpys():
    assert len(hosted) <= MOST_OF_NUMPY, hosted
    assert all(reason.startswith("Unmapped") for reason in hosted.values()), hosted
