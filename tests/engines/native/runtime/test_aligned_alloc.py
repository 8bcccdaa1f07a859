"""Large arrays begin with a cache line, at different offsets in a page, and a view keeps its array
alive and unchanged."""

from __future__ import annotations

import gc
import sys

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.runtime.aligned_alloc import is_placed, placed
from tolerances import assert_same

FLOAT = np.dtype(np.float32)


def address(array):
    return array.__array_interface__["data"][0]


def test_arrays_used_together_have_different_offsets_in_a_page():
    arrays = [placed((100, 100), FLOAT, number) for number in range(64)]
    assert len({address(one) % 4096 for one in arrays}) == 64
    assert all(address(one) % 64 == 0 for one in arrays)
    assert all(is_placed(one) and not one.flags.owndata for one in arrays)


def test_small_arrays_are_plain_ones():
    one = placed((5,), FLOAT)
    assert one.base is None
    assert is_placed(one)
    assert not is_placed(one[::2])


def test_zeros_are_placed_and_belong_to_one_array_alone():
    array = placed((100, 100), FLOAT, 3, zeros=True)
    before = sys.getrefcount(array)
    assert not array.any()
    assert is_placed(array)
    assert address(array) % 4096 == address(placed((100, 100), FLOAT, 3)) % 4096
    part = array[1:]
    assert part.base is array, "so that the count of references shows who uses the memory"
    assert sys.getrefcount(array) == before + 1


def test_an_optimizers_slots_are_leased_without_a_copy():
    w = pg.Variable(np.ones((100, 100), FLOAT))
    adam = pg.optim.Adam(0.1)
    adam.prepare([w])
    slots = adam._state[w].values()
    before = [address(slot._array) for slot in slots]
    pg.function(lambda: adam.minimize(pg.sum(w * w)), engine="native")()
    assert [address(slot.numpy()) for slot in slots] == before
    assert all(slot.numpy().any() for slot in slots)


def test_an_array_of_another_owner_is_not_placed():
    assert not is_placed(np.zeros((100, 100), FLOAT))
    assert not is_placed(placed((100, 100), FLOAT).T)
    assert not is_placed(placed((100, 100), FLOAT)[1:])


@pytest.mark.parametrize("part", [lambda y: y, lambda y: y[1:], lambda y: y.T, lambda y: y[::2]])
def test_a_view_of_a_result_that_a_user_holds_never_changes(part):
    double = pg.function(lambda x: x * 2, engine="native")
    held = []
    for number in range(6):
        held.append(part(double(np.full((200, 50), number, FLOAT))))
    gc.collect()
    for number, one in enumerate(held):
        assert_same(one, np.full(one.shape, 2 * number, FLOAT))


def test_variables_are_placed_when_they_are_updated():
    w = pg.Variable(np.ones((100, 100), FLOAT))

    @pg.function(engine="native")
    def step(x):
        w.assign(w * x)
        return x

    step(np.float32(2.0))
    assert is_placed(w.numpy())
    at = address(w.numpy())
    step(np.float32(2.0))
    assert address(w.numpy()) == at
    assert_same(w.numpy(), np.full((100, 100), 4, FLOAT))
