"""The answers to the twelve problems, at their smallest sizes, are those of the references; the
references are those of differences and of exact solutions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import palingrad as pg

FOLDER = Path(__file__).parent.parent / "benchmarks"
sys.path.append(str(FOLDER))  # benchmarks are scripts that import each other by name

import twelve  # noqa: E402
from contenders import problems_in_palingrad as ours  # noqa: E402
from problems import PROBLEMS, hello  # noqa: E402
from problems.problem import PARTS, error, leaves  # noqa: E402

LOOPED = ("saddle", "particle")  # value and derivative are one function


def solved(name: str, part: str, size: Any, engine: str = "native") -> tuple[Any, Any]:
    problem = PROBLEMS[name]
    arrays = problem.arrays(size)
    step = ours.compiled(problem.part(part, ours.NAMESPACE, size), arrays, engine)
    return step(), problem.reference(part, size, *arrays)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", [name for name in PROBLEMS if name not in LOOPED])
def test_answers(name: str, part: str):
    found, expected = solved(name, part, PROBLEMS[name].tiny)
    assert error(found, expected) < 1


def test_hello_alternates():
    value = pg.function(hello.square)
    derivative = pg.function(pg.grad(hello.square))
    assert hello.alternated(value, derivative) == 2**15 * 1.0


@pytest.mark.parametrize("order", [7, 8])
def test_a_determinant_whose_first_rows_are_expanded_in_a_loop(order: int):
    found, expected = solved("det", "derivative", order)
    assert error(found, expected) < 1


def test_correspondences_of_vertices():
    for part in PARTS:
        found, expected = solved("ht", part, (5, 6, True))
        assert error(found, expected) < 1


def test_a_saddle():
    found, expected = solved("saddle", "derivative", "ff")
    assert error(found, expected) < 1
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["lse", "llsq", "ode", "det", "gmm", "lstm"])
def test_references_are_those_of_differences(name: str):
    problem = PROBLEMS[name]
    size = (3, 20) if name == "ode" else problem.tiny
    arrays = problem.arrays(size)
    counts = {"gmm": 4, "lstm": 2}.get(name, 1)

    def value(moved: Any) -> float:
        return float(np.ravel(problem.reference("value", size, *moved, *arrays[counts:]))[-1])

    flat = np.concatenate([one.ravel() for one in arrays[:counts]])
    edges = np.cumsum([one.size for one in arrays[:counts]])[:-1]

    def at(x: np.ndarray) -> float:
        parts = np.split(x, edges)
        return value([part.reshape(one.shape) for part, one in zip(parts, arrays, strict=False)])

    steps = np.eye(len(flat)) * 1e-5
    slopes = np.array([(at(flat + step) - at(flat - step)) / 2e-5 for step in steps])
    found = np.concatenate(
        [g.ravel() for g in leaves(problem.reference("derivative", size, *arrays))]
    )
    known = ~np.isnan(found)
    np.testing.assert_allclose(found[known], slopes[known], rtol=1e-5, atol=1e-7)


def test_an_exact_solution():
    x = np.array([0.3, 0.5, 0.7])
    y = PROBLEMS["ode"].reference("value", (3, 1), x)
    np.testing.assert_allclose(y, [x[0] * 2, x[0] * x[1] * 2, x[0] * x[1] * x[2] * 8 / 6])


def test_a_wrong_answer_is_found():
    assert error(np.array([1.0, 1.0]), np.array([1.0, 1.001])) > 1
    assert error(np.array([np.nan]), np.array([1.0])) > 1
    assert error(np.array([1.0, 5.0]), np.array([1.0, np.nan])) == 0
    with pytest.raises(AssertionError, match="shape"):
        error(np.zeros(2), np.zeros(3))


def test_a_row_of_the_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    options = ["hello", "--only", "palingrad", "--rounds", "1", "--seconds", "0.001"]
    monkeypatch.setattr(sys, "argv", ["twelve.py", *options])
    assert twelve.main() == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("hello")]
    assert len(rows) == 2
    assert all("wrong" not in row and "fails" not in row for row in rows)
