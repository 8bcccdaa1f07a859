"""Subnormal numbers are flushed to 0 while a training step runs, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg

SMALLEST = {np.float32: np.float32(1.4e-45), np.float64: np.float64(5e-324)}


def decaying(dtype: Any) -> tuple[Any, Any]:
    """A Variable of many numbers, some of which are small, and a step that halves it."""
    values = np.full(1000, np.finfo(dtype).smallest_normal, dtype)
    values[::3] = 1.0
    variable = pg.Variable(values)

    @pg.function(engine="native")
    def step() -> Any:
        variable.assign(variable * 0.5)
        return pg.sum(variable)

    return variable, step


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_decaying_moments_become_zero_instead_of_subnormal(dtype):
    variable, step = decaying(dtype)
    step()
    values = variable.numpy()
    assert (values[::3] == 0.5).all()
    assert not np.delete(values, slice(None, None, 3)).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_program_that_updates_nothing_computes_with_subnormal_numbers(dtype):
    half = pg.function(lambda x: x * dtype(0.5), engine="native")
    small = np.full(1000, 4 * SMALLEST[dtype], dtype)
    np.testing.assert_array_equal(half(small), small / 2)
    assert half(small).all()


def test_the_thread_that_ran_a_step_computes_with_subnormal_numbers_again():
    _, step = decaying(np.float32)
    step()
    x = np.full(100, 4 * SMALLEST[np.float32], np.float32)
    assert (x * np.float32(0.5)).all()


def test_explain_says_so():
    _, step = decaying(np.float32)
    assert "subnormal numbers count as 0" in step.explain()
