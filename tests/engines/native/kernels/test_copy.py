"""A copy writes the elements that a view shows in row-major order, whatever the view's strides,
offset, dtype and number of threads; a value copied over a Variable's stays in its array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from tolerances import assert_same

SHAPES = [(1, 3, 4), (2, 5, 7), (3, 4, 33), (2, 3, 130), (1, 9, 1030)]  # around vectors and blocks
DTYPES = (np.float32, np.float64, np.int8, np.uint16, np.int64, np.bool_)
# Views that no reshape can express as a view.
VIEWS: dict[str, Any] = {
    "transposed": lambda x: x.mT,
    "backwards": lambda x: x[..., ::-1],
    "every other": lambda x: x[..., ::2],
    "from the middle": lambda x: x[:, 1:-1, 2:],
    "transposed and backwards": lambda x: x.mT[::-1, :, 1:],
}


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_view_is_copied_in_row_major_order(dtype):
    rng = np.random.default_rng(0)
    xs = [rng.integers(-100, 100, shape).astype(dtype) for shape in SHAPES]
    views = list(VIEWS.values())
    run = pg.function(
        lambda xs: [pg.reshape(view(x), (-1,)) for x in xs for view in views], engine="native"
    )
    found = iter(run(xs))
    for x in xs:
        for name, view in VIEWS.items():
            expected = np.ascontiguousarray(view(x)).reshape(-1)
            assert_same(next(found), expected, f"{x.shape} {name}")
    text = run.explain(xs)
    assert "Fallback" not in text
    assert text.count("Copy ") >= len(VIEWS)


def test_threads_copy_each_row_once():
    x = np.arange(600_000.0).reshape(600, 1000)
    before = pg.get_num_threads()
    try:
        for threads in (1, 3):
            pg.set_num_threads(threads)
            run = pg.function(lambda x: pg.reshape(x.mT, (-1,)), engine="native")
            assert "Copy" in run.explain(x)
            assert_same(run(x), x.T.reshape(-1))
    finally:
        pg.set_num_threads(before)


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_a_value_copied_over_a_variables_stays_in_its_array(dtype):
    rng = np.random.default_rng(1)
    v = pg.Variable(np.zeros((7, 5), dtype), trainable=False)

    @pg.function(engine="native")
    def keep(x):
        v.assign(x.mT)
        return pg.sum(v)

    places = []
    for _ in range(3):
        x = rng.integers(-9, 9, (5, 7)).astype(dtype)
        keep(x)
        assert_same(v.numpy(), np.ascontiguousarray(x.T))
        places.append(v.numpy().ctypes.data)
    assert "updated in place" in keep.explain(x)
    assert places[1] == places[2]
