"""`fit` reads the next batch of an iterable, and sends it, while a step runs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines import ahead

pytest.importorskip("jax", reason="JAX isn't installed: make test-scale")

COUNT = 6


class Data:
    """Batches, all in one buffer, which is written over for each; optionally one goes wrong."""

    def __init__(self, wrong: int = -1, interrupts: int = -1) -> None:
        rng = np.random.default_rng(4)
        self.x = rng.normal(size=(COUNT, 8, 160)).astype(np.float32)
        self.y = rng.integers(0, 3, (COUNT, 8))
        self.wrong, self.interrupts, self.given = wrong, interrupts, 0

    def __call__(self) -> Iterator[Any]:
        from palingrad.engines.xla.feeding import aligned

        x, y = aligned((8, 160), np.dtype(np.float32)), np.empty(8, np.int64)
        for number in range(COUNT):
            if number == self.interrupts:
                signal.raise_signal(signal.SIGINT)
            x[...], y[...] = self.x[number], self.y[number]
            self.given = number + 1
            yield (x, y) if number != self.wrong else (x, y + 7)


def fitted(data: Any, engine: str = "xla", **options: Any) -> tuple[Any, Any]:
    """The history, and the weights."""
    pg.set_seed(2)
    model = pg.nn.Linear(160, 3)
    options = {"epochs": 2, "optimizer": pg.optim.Adam(0.05)} | options
    try:
        return pg.train.fit(model, data, engine=engine, **options), model
    except pg.errors.PalingradError as error:
        return error, model


def weights(model: Any) -> Any:
    return model.weight.value


def test_batches_are_sent_ahead_and_are_those_of_other_engines(monkeypatch: Any):
    sent: list[int] = []
    before = ahead.Ahead.go_on

    def go_on(self: Any, send: Any) -> None:
        before(self, send)
        sent.append(len(self._sent))

    monkeypatch.setattr(ahead.Ahead, "go_on", go_on)
    found, model = fitted(Data())
    assert sent == ([2] * (COUNT - 1) + [0]) * 2
    expected, other = fitted(Data(), "numpy")
    for a, b in zip(found.epochs, expected.epochs, strict=True):
        np.testing.assert_allclose(a.loss, b.loss, rtol=1e-5)
    np.testing.assert_allclose(weights(model), weights(other), rtol=1e-3, atol=1e-5)
    low, _ = fitted(Data(), precision="bfloat16")
    np.testing.assert_allclose(low.epochs[-1].loss, expected.epochs[-1].loss, rtol=0.05)


def test_an_error_in_the_data_comes_at_its_step():
    data = Data(wrong=3)
    error, model = fitted(data)
    assert "batch 3" in str(error)
    _, expected = fitted(Data(wrong=3), "numpy")
    np.testing.assert_allclose(weights(model), weights(expected), rtol=1e-3, atol=1e-5)


def test_nothing_is_lost_by_an_interruption(tmp_path: Any):
    _, expected = fitted(Data())
    history, _ = fitted(Data(interrupts=3), checkpoint=tmp_path)
    assert history.interrupted
    data = Data()
    history, model = fitted(data, checkpoint=tmp_path, resume=True)
    assert not history.interrupted
    assert np.array_equal(weights(model), weights(expected))


def test_arrays_are_sent_once_an_epoch(monkeypatch: Any):
    from palingrad.engines.xla.feeding import Feeding

    sent: list[int] = []
    before = Feeding.send

    def send(self: Any, feeds: Any) -> Any:
        sent.append(len(feeds))
        return before(self, feeds)

    monkeypatch.setattr(Feeding, "send", send)
    found: list[Any] = []
    for engine in ("xla", "numpy"):
        data = Data()
        arrays = data.x.reshape(-1, 160)[:-3], data.y.reshape(-1)[:-3]

        def change(history: Any, x: Any = arrays[0]) -> None:
            x *= 0.5

        found.append(fitted(arrays, engine, batch_size=8, on_epoch=change))
    assert sent == [2, 2]
    for a, b in zip(found[0][0].epochs, found[1][0].epochs, strict=True):
        np.testing.assert_allclose(a.loss, b.loss, rtol=1e-5)
    np.testing.assert_allclose(weights(found[0][1]), weights(found[1][1]), rtol=1e-3, atol=1e-5)
