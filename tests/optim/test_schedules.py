"""Schedules follow their formulas, and an optimizer takes each step at its schedule's rate."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ShapeError
from palingrad.optim import (
    Adam,
    GradientDescent,
    Schedule,
    cosine_decay,
    exponential_decay,
    piecewise_constant,
    warmup,
)
from tolerances import assert_close

pytestmark = pytest.mark.tiny


class Row(NamedTuple):
    """A schedule, and its rates after so many steps."""

    name: str
    schedule: Schedule
    rates: dict[int, float]


ROWS = [
    Row(
        "exponential",
        exponential_decay(0.5, steps=10, rate=0.9),
        {0: 0.5, 5: 0.5 * math.sqrt(0.9), 10: 0.45, 30: 0.5 * 0.9**3},
    ),
    Row(
        "cosine",
        cosine_decay(0.4, steps=100),
        {0: 0.4, 25: 0.2 * (1 + math.sqrt(0.5)), 50: 0.2, 100: 0.0, 1000: 0.0},
    ),
    Row(
        "cosine to a final rate",
        cosine_decay(0.4, steps=100, final=0.1),
        {0: 0.4, 50: 0.25, 100: 0.1, 101: 0.1},
    ),
    Row(
        "piecewise constant",
        piecewise_constant([3, 5], [1.0, 0.1, 0.01]),
        {0: 1.0, 2: 1.0, 3: 0.1, 4: 0.1, 5: 0.01, 99: 0.01},
    ),
    Row("one piece", piecewise_constant([], [0.3]), {0: 0.3, 9: 0.3}),
    Row("warmup", warmup(0.2, steps=4), {0: 0.05, 1: 0.1, 2: 0.15, 3: 0.2, 4: 0.2, 50: 0.2}),
    Row(
        "warmup of a schedule",
        warmup(exponential_decay(1.0, steps=1, rate=0.5), steps=2),
        {0: 0.5, 1: 0.5, 2: 0.25, 3: 0.125},
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_schedule_follows_its_formula(row):
    for steps, rate in row.rates.items():
        assert_close(row.schedule(pg.tensor(np.float64(steps))).numpy(), np.float64(rate))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_schedule_in_a_function_gives_the_same_rates(row):
    compiled = pg.function(row.schedule)
    for steps, rate in row.rates.items():
        assert_close(compiled(np.float64(steps)), np.float64(rate))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_an_optimizer_steps_at_its_schedule_s_rate(row):
    """The loss w has the gradient 1, so each step of gradient descent is as long as the rate."""
    w = pg.Variable(np.float64(0))
    optimizer = GradientDescent(row.schedule)
    for steps, rate in row.rates.items():
        optimizer.steps.assign(steps)  # so many have been taken
        before = w.item()
        optimizer.minimize(w + 0)
        assert_close(np.float64(before - w.item()), np.float64(rate))


def test_any_optimizer_takes_a_schedule():
    w = pg.Variable(np.float64(0))
    adam = Adam(piecewise_constant([2], [0.25, 0.0]))
    for _ in range(5):
        adam.minimize(w + 0)  # a gradient that stays gives steps as long as the rate
    assert w.item() == pytest.approx(-0.5, rel=1e-7)  # 1e-8 is added to the root


def test_rates_and_boundaries_must_fit():
    with pytest.raises(ShapeError, match="2 boundaries need 3 rates"):
        piecewise_constant([1, 2], [0.1, 0.2])


def test_a_schedule_may_return_a_plain_number():
    parameter = pg.Variable(1.0)
    optimizer = pg.optim.GradientDescent(lambda t: 0.25)
    for _ in range(3):  # eagerly, then compiled
        optimizer.minimize(2.0 * parameter)
    assert float(parameter.numpy()) == 1.0 - 3 * 0.25 * 2.0
