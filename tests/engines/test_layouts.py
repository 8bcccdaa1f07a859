"""The numpy engine's short ways for layouts have the values of their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg

X = np.arange(12.0).reshape(3, 1, 4)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[:2],
        lambda x: x[0],
        lambda x: pg.reshape(x, (4, 3)),
        lambda x: pg.reshape(pg.permute_dims(x, (2, 1, 0)), (2, 6)),
        lambda x: pg.squeeze(x, axis=1),
        lambda x: pg.expand_dims(x, (0, -1)),
        lambda x: pg.expand_dims(pg.sum(x), (0,)),
        lambda x: pg.broadcast_to(x, (3, 5, 4)),
        lambda x: pg.broadcast_to(pg.sum(x), (2, 3)),
        lambda x: pg.broadcast_to(x, (600, 3, 5, 4)),  # larger than what is copied
        lambda x: pg.broadcast_to(x[:0], (2, 0, 1, 4)),
        lambda x: pg.permute_dims(x, (1, 0, 2)),
        lambda x: pg.flip(x, 0),
        lambda x: pg.split(x, 3)[1],
    ],
)
def test_layouts(f: Any) -> None:
    eager = f(pg.tensor(X)).numpy()
    found = pg.function(f, engine="numpy")(X)
    np.testing.assert_array_equal(found, eager, strict=True)
    assert not found.flags.writeable
    slopes = pg.function(pg.grad(lambda x: pg.sum(f(x) ** 2)), engine="numpy")(X)
    np.testing.assert_allclose(slopes, pg.grad(lambda x: pg.sum(f(x) ** 2))(X), rtol=1e-14)
