"""Feeds on their way to the device."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg

pytest.importorskip("jax", reason="JAX isn't installed: make test-scale")

from palingrad.engines.xla.feeding import aligned


@pytest.mark.parametrize("offset", [0, 1])
def test_what_a_run_returned_or_updated_is_not_memory_of_its_feeds(offset):
    """XLA reads aligned arrays in place, and copies of others are used again by later runs."""
    memory = aligned((1 << 12,), np.dtype(np.float32))
    x = memory[offset : offset + 3000]
    v = pg.Variable(np.zeros(3000, np.float32))
    same = pg.function(lambda x: x, engine="xla")
    keep = pg.function(lambda x: v.assign(x), engine="xla")
    x[:] = 1
    first = same(x)
    keep(x)
    x[:] = 2  # after a run without results, which may still be under way
    second = same(x)
    assert (first.min(), first.max()) == (1, 1)
    assert (v.value.min(), v.value.max()) == (1, 1)
    assert (second.min(), second.max()) == (2, 2)
    assert x.flags.writeable


def test_the_gradient_of_tiled_pooling_goes_to_the_first_largest():
    """Windows side by side are a maximum over axes: ties and NaN as the other engines."""
    rng = np.random.default_rng(2)
    for shape, size in (((2, 3, 4, 6), (2, 3)), ((1, 2, 6), (3,)), ((1, 1, 4, 4, 4), (2, 2, 2))):
        x = rng.integers(0, 3, shape).astype(np.float32)
        x[0, 0, ..., 0] = np.nan

        def f(x, size=size):
            y = pg.max_pool(x, size)
            return y, pg.gradients(pg.sum(y * pg.exp(y)), x)

        for a, b in zip(*(pg.function(f, engine=e)(x) for e in ("xla", "numpy")), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)
