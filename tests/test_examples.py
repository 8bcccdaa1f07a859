"""Every example runs in a fresh process, and prints what stands beside it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def test_each_example_is_run_here():
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert names == {path.stem for path in EXAMPLES.glob("*.out")} | {"digits"}


def printed(path: Path) -> str:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", path]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.out")), ids=lambda path: path.stem)
def test_an_example_prints_what_stands_beside_it(path):
    expected = path.read_text()
    number = re.compile(r"-?\d+\.\d+")
    found = printed(path.with_suffix(".py"))
    assert number.sub("#", found) == number.sub("#", expected)
    for one, other in zip(number.findall(found), number.findall(expected), strict=True):
        digits = len(other.split(".")[1])  # the last digit may be another on another BLAS
        assert abs(float(one) - float(other)) <= 2 * 10**-digits, (found, expected)


def test_the_network_on_digits_learns():
    """Over many steps the last digits grow into others: here the result counts, not the text."""
    accuracy = float(printed(EXAMPLES / "digits.py").split()[-1].rstrip("%"))
    assert accuracy > 95
