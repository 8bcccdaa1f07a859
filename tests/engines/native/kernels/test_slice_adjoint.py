"""Adjoints of slices: the cotangent at the slice, zeros elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from tolerances import assert_close

Index = tuple[Any, ...]


def drawn(rng: Any) -> tuple[tuple[int, ...], Index]:
    """A shape and an index into it, of integers, slices, None and …."""
    shape = tuple(rng.integers(1, 7, rng.integers(1, 5)).tolist())
    index: list[Any] = []
    for size in shape[: rng.integers(0, len(shape) + 1)]:
        kind = rng.random()
        if kind < 0.25:
            index.append(int(rng.integers(-size, size)))
        else:
            ends = [None if rng.random() < 0.4 else int(rng.integers(-size, size)) for _ in "ab"]
            index.append(slice(*ends, [None, 1, 2, -1, -2, 3][rng.integers(6)]))
        if rng.random() < 0.1:
            index.append(None)
    if len(index) < len(shape) and rng.random() < 0.2:
        index.append(Ellipsis)
    return shape, tuple(index)


@pytest.mark.parametrize("seed", range(4))
def test_adjoints_of_all_kinds_of_slices(seed):
    rng = np.random.default_rng(seed)
    cases = [drawn(rng) for _ in range(25)]
    fed = [rng.normal(size=shape) for shape, _ in cases]

    def slopes(fed: Any) -> Any:
        parts = zip(fed, cases, strict=True)
        return pg.gradients(sum(pg.sum(pg.sin(x[index])) for x, (_, index) in parts), fed)

    native = pg.function(slopes, engine="native")
    reference = pg.function(slopes, engine="numpy")(fed)
    for case, one, other in zip(cases, native(fed), reference, strict=True):
        assert_close(one, other, str(case))
    assert "Fallback" not in native.explain(fed)


def test_rows_are_shared_by_threads():
    slope = pg.function(lambda x: pg.gradients(pg.sum(pg.sin(x[:, 3:50])), [x])[0], engine="native")
    text = slope.explain(np.ones((500, 200)))
    (line,) = (line for line in text.splitlines() if "SliceAdjoint" in line)
    assert "chunks" in line
