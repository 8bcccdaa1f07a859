"""Meshes together with what the engine does on one device: bfloat16, and feeds sent ahead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines import ahead

pytest.importorskip("jax", reason="JAX isn't installed: make test-scale")

COUNT = 5
RNG = np.random.default_rng(3)
X = RNG.normal(size=(COUNT * 8 - 4, 160)).astype(np.float32)
Y = RNG.integers(0, 3, len(X))


def batches() -> Iterator[Any]:
    """All in one buffer, which is written over; the last one can't be cut over eight devices."""
    x, y = np.empty((8, 160), np.float32), np.empty(8, np.int64)
    for start in range(0, len(X), 8):
        rows = len(X[start : start + 8])
        x[:rows], y[:rows] = X[start : start + 8], Y[start : start + 8]
        yield x[:rows], y[:rows]


def fitted(data: Any, **options: Any) -> tuple[Any, Any]:
    """Losses, and the weights."""
    pg.set_seed(2)
    model = pg.nn.Linear(160, 3)
    adam = pg.optim.Adam(0.05)
    history = pg.train.fit(model, data, optimizer=adam, epochs=2, batch_size=8, **options)
    return [one.loss for one in history.epochs], np.array(model.weight.value)


def test_feeds_are_sent_ahead_in_parts(monkeypatch: Any):
    sent: list[Any] = []
    before = ahead.Ahead.go_on

    def go_on(self: Any, send: Any) -> None:
        before(self, send)
        sent.append([len(value.addressable_shards) for _, value in self._sent])
        sent[-1] += [value.addressable_shards[0].data.shape[0] for _, value in self._sent]

    monkeypatch.setattr(ahead.Ahead, "go_on", go_on)
    losses, weights = fitted(batches, mesh=pg.scale.mesh({"data": 8}))
    # The next batch, of which each device has one row; not the last one, of another program.
    assert sent == ([[8, 8, 1, 1]] * (COUNT - 2) + [[], []]) * 2
    expected, others = fitted(batches, engine="numpy")
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(weights, others, rtol=1e-3, atol=1e-5)


def test_arrays_that_each_device_reads_whole_can_be_written_to_after_a_run():
    x = np.zeros((8, 4096), np.float32)
    with pg.scale.use(pg.scale.mesh({"data": 8}), inputs={"x": ()}):
        total = pg.function(lambda x: x)
        for number in range(20):
            x[...] = number
            found = total(x)
            x[...] = -1
            assert (found == number).all()


def test_bfloat16_on_a_mesh():
    mesh = pg.scale.mesh({"data": 4})
    whole = fitted((X, Y), mesh=mesh)
    low = fitted((X, Y), mesh=mesh, precision="bfloat16")
    one = fitted((X, Y), engine="xla", precision="bfloat16")
    assert low[1].dtype == np.float32
    assert not np.array_equal(low[1], whole[1])
    np.testing.assert_allclose(low[0], one[0], rtol=1e-6)
    np.testing.assert_allclose(low[0], whole[0], rtol=0.05)
    with pytest.raises(pg.errors.ArgumentError, match="deterministic=True adds up"):
        fitted((X, Y), mesh=mesh, precision="bfloat16", deterministic=True)


def test_the_precision_is_named_and_kept_apart():
    x = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    with pg.scale.use(pg.scale.mesh({"data": 2})):
        exact = pg.function(lambda x: x @ x)
        low = pg.function(lambda x: x @ x, precision="bfloat16")
        difference = abs(exact(x) - low(x)).max()
        assert 1e-4 < difference < 5e-2
        named = pg.function(lambda x: x @ x, engine="xla:bfloat16")
        assert np.array_equal(named(x), low(x))
        with pytest.raises(pg.errors.EngineError, match=r"the numpy engine"):
            pg.function(lambda x: x @ x, engine="numpy", precision="bfloat16")(x)
    with pytest.raises(pg.errors.EngineError, match="no engine is called"):
        pg.set_engine("xla on mesh 99")
