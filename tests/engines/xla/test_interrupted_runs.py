"""A run that writes over Variables is whole or not at all, wherever a signal handler raises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from interrupts import Interrupted, at_point, stop

pytest.importorskip("jax", reason="JAX isn't installed: make test-scale")


@pytest.mark.parametrize("assigned", [False, True], ids=["continued", "after an assignment"])
def test_an_interrupt_at_any_point_leaves_variables_before_or_after_the_run(assigned: bool):
    v, w = pg.Variable(np.zeros(2000, np.float32)), pg.Variable(np.int64(0))

    @pg.function(engine="xla")
    def step(x: Any) -> Any:
        v.assign(v + x)
        w.assign(w + 1)
        return pg.sum(x)

    x = np.ones(2001, np.float32)[1:]  # isn't aligned: it is copied
    step(x)
    number, goes_on = 0, True
    while goes_on:
        step(x)
        before = int(w.value)
        if assigned:
            w.assign(np.int64(before))
        else:
            step(x)
            before += 1
        try:
            goes_on = at_point(number, lambda: step(x), stop)
        except Interrupted:
            pass
        count, values = int(w.value), v.value
        assert before <= count <= before + 1
        assert values.min() == values.max() == count, number
        number += 1
    assert number > 50


def test_a_variable_whose_value_is_lost_says_so_and_can_be_assigned():
    v = pg.Variable(np.zeros(3))
    step = pg.function(lambda: v.assign(v + 1), engine="xla")
    step()
    v._lease.value.delete()  # as a run that fails on the device does
    v.assign(np.ones(3))
    step()
    assert v.value.tolist() == [2.0, 2.0, 2.0]
    step()
    v._lease.value.delete()
    with pytest.raises(pg.errors.EngineError, match="has no value"):
        _ = v.value
    v.assign(np.zeros(3))
    assert v.value.tolist() == [0.0, 0.0, 0.0]
