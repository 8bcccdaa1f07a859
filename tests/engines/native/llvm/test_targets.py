"""Generated code is right for other CPUs too: the vectors and instructions of the x86-64 levels."""

from __future__ import annotations

import gc
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.native.kernels import test_attention, test_conv, test_gemm, test_random_numbers
from engines.native.plan import test_concat_in_place
from palingrad.engines.native.llvm.target import host
from palingrad.graph.kinds import Composite, Elementwise
from palingrad.graph.operation import Operation
from palingrad.proof.case import Case, compiled_together, drawn_together
from test_battery import OPERATIONS
from tolerances import assert_close

TESTS = Path(__file__).parents[3]
LEVELS = {"x86-64-v2": 16, "x86-64-v3": 32}  # and the bytes of a vector
# NumPy computes these families on every CPU, and composites are made of other operations.
ELSEWHERE = ("special", "linalg", "fourier")
COMPILED = [
    one
    for one in OPERATIONS
    if not issubclass(one, Composite) and one.__module__.split(".")[2] not in ELSEWHERE
]
TOGETHER = 16  # operations in a Program
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


@pytest.mark.parametrize("cpu", LEVELS)
def test_operations_and_kernels_are_right_on_plain_levels_of_x86_64(cpu):
    if platform.machine() not in ("x86_64", "AMD64"):
        return  # which has other levels
    if LEVELS[cpu] >= host().vector_bytes:
        return  # this is the level that all other tests run on
    levels = [one for one, size in LEVELS.items() if size < host().vector_bytes]
    environment = {
        **os.environ, "PALINGRAD_CPU": cpu, "PALINGRAD_CACHE": "off",
        "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "engines.native.llvm.test_targets",
         str(levels.index(cpu)), str(len(levels))],
        cwd=TESTS, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    assert f"{len(COMPILED)} operations on {cpu}" in done.stdout


def check_together(group: Sequence[type[Operation]], turn: int, levels: int) -> None:
    """Compare these operations, compiled as one Program."""
    pairs: list[tuple[Case, Sequence[np.dtype[Any]]]] = []
    for operation in group:
        cases = [Case(operation, sample) for sample in operation.samples]
        share = max(levels, 2)
        cases = cases[turn::share] if len(cases) >= 2 * share else cases
        if issubclass(operation, Elementwise):
            cases = cases[:2]  # whose code is the formula's
        turns = [FLOATS] if len(cases) == 1 else [FLOATS[:1], FLOATS[1:]]
        pairs += [(case, turns[number % len(turns)]) for number, case in enumerate(cases)]
    try:
        drawn, fed, expected = drawn_together(pairs)
        results = compiled_together(drawn, "native")(fed)
        for one, other in zip(results, expected, strict=True):
            assert_close(one, other)
    except Exception as error:
        names = ", ".join(operation.__name__ for operation in group)
        error.add_note(f"the samples of {names} on {host().cpu}")
        raise


def check_this_level(turn: int, levels: int) -> int:
    """Compare the code of this process's level with NumPy: all that it compiles and the gradients,
    and the kernels in which vectors and registers count most. Returns the number of operations.

    An operation's samples are dealt to the levels, as if there were two at least, with two samples
    for each if there are so many, and no more for elementwise operations, and take the dtypes in
    turn: what code does with each sample in each dtype is proven by the battery, what remains is
    the width of vectors and the instructions. Several operations are one Program, so that kernels
    that they share are compiled once.
    """
    for start in range(0, len(COMPILED), TOGETHER):
        group = COMPILED[start : start + TOGETHER]
        try:
            check_together(group, turn, levels)
        except Exception:
            for operation in group:  # alone, to say which it is
                check_together([operation], turn, levels)
            raise
    test_gemm.test_every_number_of_rows_columns_and_terms_around_a_tile(np.float32)
    for number in (2, 3):
        test_attention.test_values_and_gradients_are_those_of_numpy(number)
    test_conv.test_convolutions_over_two_axes(0)
    test_concat_in_place.test_interleaved_stores_of_every_length()
    test_random_numbers.test_every_word_of_the_state_matters()
    test_random_numbers.test_numbers_come_from_one_loop_of_32_bit_products()
    return len(COMPILED)


if __name__ == "__main__":
    gc.collect()
    gc.freeze()  # as in conftest.py
    print(f"{check_this_level(*map(int, sys.argv[1:]))} operations on {host().cpu}")
