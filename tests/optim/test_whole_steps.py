"""Eager steps by one Program of the reverse pass and the update: they read Variables only as these
were when the loss was computed."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad import optim
from palingrad.eager import tapes
from palingrad.eager.gradients import TapeGradients
from palingrad.engines.native.runtime.lease import Lease
from palingrad.errors import GradientError
from palingrad.optim import cached

A = np.array
X = np.random.default_rng(0).standard_normal((6, 40)).astype(np.float32)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    tapes._structures.clear()
    tapes._seen.clear()
    cached._updates.clear()
    cached._steps.clear()
    cached._seen.clear()
    yield
    pg.set_engine(None)


class Whole:
    """Steps that were asked of Programs of whole steps, and whether they were taken."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.taken: list[bool] = []
        stepped = cached._stepped
        patch.setattr(
            cached, "_stepped", lambda *given: self.taken.append(stepped(*given)) or self.taken[-1]
        )


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> Whole:
    return Whole(monkeypatch)


def warmed(engine: str) -> tuple[Any, Any, Any]:
    """A Variable, an optimizer, and the loss of the Variable, after steps by whole Programs."""
    pg.set_engine(engine)
    w, optimizer = pg.Variable(np.ones(40, np.float32), name="w"), optim.Momentum(0.01)

    def loss() -> Any:
        return pg.sum(pg.tanh(X * w) ** 2)

    for _ in range(5):
        optimizer.minimize(loss())
    return w, optimizer, loss


@pytest.mark.parametrize("engine", ["numpy", "native", "auto"])
def test_from_the_third_step_on(engine: str, whole: Whole) -> None:
    w, optimizer, loss = warmed(engine)
    assert whole.taken == [False, True, True, True]
    assert optimizer.steps.item() == 5
    by_hand, mean = np.ones(40), np.zeros(40)
    for _ in range(5):
        t = np.tanh(X * by_hand)
        mean = 0.9 * mean + (2 * t * (1 - t * t) * X).sum(0)
        by_hand = by_hand - 0.01 * mean
    np.testing.assert_allclose(w.numpy(), by_hand, rtol=1e-5)
    value = loss()
    value.backward()
    gradient = w.grad.numpy()
    optimizer.minimize(value)
    assert whole.taken[-1]
    assert w.grad.numpy() is gradient


@pytest.mark.parametrize("engine", ["numpy", "native"])
@pytest.mark.parametrize("after", ["the values were taken", "the lease was taken"])
def test_an_assignment_before_the_run(
    engine: str, after: str, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another thread, or a signal handler: the step never mixes old and new values."""
    w, optimizer, loss = warmed(engine)
    owner, name = (TapeGradients, "feeds") if after == "the values were taken" else (Lease, "_take")
    if engine == "numpy" and owner is Lease:
        return
    value, original = loss(), getattr(owner, name)

    def assigning(*given: Any) -> Any:
        found = original(*given)
        monkeypatch.setattr(owner, name, original)
        w.assign(np.full(40, 0.25, np.float32))
        return found

    monkeypatch.setattr(owner, name, assigning)
    with pytest.raises(GradientError, match="'w' was assigned after"):
        optimizer.minimize(value)
    assert whole.taken[-1] is False
    assert (w.numpy() == 0.25).all()
    assert optimizer.steps.item() == 5
    optimizer.minimize(loss())
    assert whole.taken[-1]


def test_a_read_before_the_run(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the lease, whose taking counts as a change: but of the step's own."""
    w, optimizer, loss = warmed("native")
    take = Lease._take
    before: list[Any] = []

    def reading(*given: Any) -> Any:
        found = take(*given)
        if not before:
            before.append(w.numpy())
        return found

    monkeypatch.setattr(Lease, "_take", reading)
    t, old = np.tanh(X * w.numpy()), optimizer.variables()["0.velocity"].numpy()
    optimizer.minimize(loss())
    assert whole.taken[-1]
    assert len(before) == 1
    mean = 0.9 * old + (2 * t * (1 - t * t) * X).sum(0)
    np.testing.assert_allclose(before[0] - w.numpy(), 0.01 * mean, rtol=1e-3, atol=1e-6)


def test_a_step_before_the_run(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread's, which leaves the lease and the memory prepared for it."""
    _, optimizer, loss = warmed("native")
    value, other, feeds = loss(), loss(), TapeGradients.feeds
    stepped: list[Any] = []

    def stepping(*given: Any) -> Any:
        found = feeds(*given)
        monkeypatch.setattr(TapeGradients, "feeds", feeds)
        optimizer.minimize(other)
        stepped.append(whole.taken[-1])
        return found

    monkeypatch.setattr(TapeGradients, "feeds", stepping)
    with pytest.raises(GradientError, match="'w' was assigned after"):
        optimizer.minimize(value)
    assert stepped == [True]
    assert optimizer.steps.item() == 6


def test_an_assignment_of_a_variable_that_is_not_trained(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    v, w = pg.Variable(A([1.0, 2.0]), name="v"), pg.Variable(A([3.0, 4.0]))
    optimizer, feeds = optim.GradientDescent(0.1), TapeGradients.feeds
    for _ in range(5):
        optimizer.minimize(pg.sum(v * w), [w])

    def assigning(*given: Any) -> Any:
        v.assign(v * 2)
        return feeds(*given)

    monkeypatch.setattr(TapeGradients, "feeds", assigning)
    with pytest.raises(GradientError, match="'v' was assigned after"):
        optimizer.minimize(pg.sum(v * w), [w])
    assert optimizer.steps.item() == 5


def test_two_losses_of_the_same_values(whole: Whole) -> None:
    for engine in ("numpy", "native"):
        _, optimizer, loss = warmed(engine)
        first, second = loss(), loss()
        optimizer.minimize(first)
        with pytest.raises(GradientError, match="'w' was assigned after"):
            optimizer.minimize(second)
        assert optimizer.steps.item() == 6


def test_an_array_that_was_read_keeps_its_numbers() -> None:
    w, optimizer, loss = warmed("native")
    value = loss()
    array = w.numpy()
    copied = array.copy()
    optimizer.minimize(value)
    assert (array == copied).all()
    assert (w.numpy() != copied).all()


def test_a_variable_that_is_read_but_not_trained(whole: Whole) -> None:
    for engine in ("numpy", "native"):
        pg.set_engine(engine)
        v, w = pg.Variable(A([1.0, 2.0])), pg.Variable(A([3.0, 4.0]))
        optimizer = optim.GradientDescent(0.1)
        expected = w.numpy()
        for step in range(6):
            v.assign(v * (step + 1.0))
            expected = expected - 0.1 * v.numpy()
            optimizer.minimize(pg.sum(v * w), [w])
        assert whole.taken[-1]
        np.testing.assert_allclose(w.numpy(), expected, rtol=1e-6)
        loss = pg.sum(v * w)
        v.assign(v * 2)
        with pytest.raises(GradientError, match="was assigned after"):
            optimizer.minimize(loss, [w])


def test_threads_that_share_a_variable() -> None:
    """Each step is taken whole, or refused because of another's."""
    w, optimizer, _ = warmed("native")
    refused: list[bool] = []

    def train(_: int) -> None:
        for _ in range(40):
            try:
                optimizer.minimize(pg.sum(pg.tanh(X * w) ** 2))
                refused.append(False)
            except GradientError:
                refused.append(True)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(train, range(3)))
    assert optimizer.steps.item() == 5 + refused.count(False)
    assert np.isfinite(w.numpy()).all()


def test_programs_of_steps_are_let_go() -> None:
    w, optimizer, _ = warmed("numpy")
    assert len(cached._steps) == 1
    references = [weakref.ref(optimizer), weakref.ref(w)]
    del optimizer, w, _
    gc.collect()
    assert len(cached._steps) == 0
    assert [one() for one in references] == [None, None]
