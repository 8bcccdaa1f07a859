"""Generated code is right for other CPUs too: the vectors and instructions of the x86-64 levels."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from palingrad.engines.native.llvm.target import host

TESTS = Path(__file__).parents[3]
CHOSEN = [
    "test_battery.py",
    "engines/native/kernels/test_gemm.py",
    "engines/native/kernels/test_conv.py",
    "engines/native/plan/test_concat_in_place.py",
    "engines/native/kernels/test_random_numbers.py",
]
WHICH = (
    "engines_agree or (float32 and around_a_tile) or over_two_axes[0]"
    " or take_turns or all_of_the_state or 32_bit_products"
)
LEVELS = {"x86-64-v2": 16, "x86-64-v3": 32}  # and the bytes of a vector


@pytest.mark.parametrize("cpu", LEVELS)
def test_the_battery_passes_on_plain_levels_of_x86_64(cpu):
    if platform.machine() not in ("x86_64", "AMD64"):
        return  # which has other levels
    if LEVELS[cpu] >= host().vector_bytes:
        return  # this is the level that all other tests run on
    environment = {**os.environ, "PALINGRAD_CPU": cpu, "PALINGRAD_CACHE": "off"}
    for name in ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"):
        environment.pop(name, None)
    files = [str(TESTS / name) for name in CHOSEN]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", WHICH, "-p", "no:cacheprovider", *files],
        cwd=TESTS.parent, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert " passed" in done.stdout or "100%" in done.stdout
