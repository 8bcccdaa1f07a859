"""Eager steps by cached Programs are, to the bit, those that are computed node by node."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad import optim
from palingrad.eager import tapes
from palingrad.errors import GradientError
from palingrad.optim import base, cached
from palingrad.optim.cached import updated

A = np.array
Trained = list[np.ndarray]


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    tapes._structures.clear()
    tapes._seen.clear()
    cached._updates.clear()
    cached._seen.clear()
    yield
    pg.set_engine(None)
    pg.set_default_dtype("float32")
    pg.set_ieee_gradients(False)


def uncached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "tape_gradients", lambda loss, choose: None)
    monkeypatch.setattr(base, "updated", lambda optimizer, arrays, read: False)


def compared(train: Callable[[], Trained], *, updates: bool = True) -> Trained:
    """What is trained by cached steps, node by node, and by machine code; the first two are equal
    to the bit."""
    pg.set_engine("numpy")
    done: list[bool] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "updated", lambda *given: done.append(updated(*given)) or done[-1])
        found = train()
    assert len(tapes._structures) > 0
    assert any(done) == updates
    with pytest.MonkeyPatch.context() as patch:
        uncached(patch)
        expected = train()
    for one, two in zip(found, expected, strict=True):
        assert one.dtype == two.dtype
        assert one.tobytes() == two.tobytes()
    pg.set_engine("native")
    for one, two in zip(train(), expected, strict=True):
        wide = 2e-2 if two.dtype == np.float16 else 2e-4 if two.dtype.itemsize == 4 else 1e-9
        np.testing.assert_allclose(one, two, rtol=wide, atol=wide)
    return expected


def values_of(*optimizers: Any, also: Any = ()) -> Trained:
    state = [v for one in optimizers for v in one.variables().values()]
    return [v.numpy() for v in (*also, *state)]


X = np.random.default_rng(0).standard_normal((6, 5))
Y = A([0, 2, 1, 1, 0, 2])
W = np.random.default_rng(1).standard_normal((5, 3))

OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "descent": lambda: optim.GradientDescent(0.1),
    "momentum": lambda: optim.Momentum(0.1),
    "nesterov": lambda: optim.Momentum(0.1, nesterov=True),
    "adam": lambda: optim.Adam(0.1),
    "adamw": lambda: optim.AdamW(0.1, weight_decay=0.1),
    "adagrad": lambda: optim.AdaGrad(0.1),
    "rmsprop": lambda: optim.RMSProp(0.1),
    "clipped by norm": lambda: optim.Adam(0.1, clip_norm=0.3),
    "clipped by value": lambda: optim.Momentum(0.1, clip_value=0.05),
    "exponential": lambda: optim.Adam(optim.exponential_decay(0.1, steps=2, rate=0.5)),
    "cosine": lambda: optim.Adam(optim.cosine_decay(0.1, steps=4)),
    "steps": lambda: optim.GradientDescent(optim.piecewise_constant([2, 4], [0.3, 0.2, 0.1])),
    "warmup": lambda: optim.Adam(optim.warmup(optim.cosine_decay(0.1, steps=4), steps=3)),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_optimizers(name: str, dtype: str) -> None:
    def train() -> Trained:
        w, b = pg.Variable(W.astype(dtype)), pg.Variable(np.zeros(3, dtype))
        optimizer = OPTIMIZERS[name]()
        for step in range(6):
            first = step % 2 if dtype == "float64" else 0  # batches of two sizes in turn, or one
            logits = pg.tanh(X.astype(dtype)[first:] @ w + b)
            optimizer.minimize(pg.cross_entropy(logits, Y[first:]))
        return values_of(optimizer, also=(w, b))

    compared(train)


def test_complex_and_real_variables() -> None:
    def train() -> Trained:
        z, s = pg.Variable(A([1 + 2j, -0.5j])), pg.Variable(A(2.0))
        optimizer = optim.Adam(0.1, clip_norm=1.0)
        for _ in range(5):
            optimizer.minimize(pg.sum(pg.abs(z * s - A([1j, 2.0])) ** 2))
        return values_of(optimizer, also=(z, s))

    compared(train)


def test_frozen_chosen_shared_and_unused_variables() -> None:
    def train() -> Trained:
        frozen = pg.Variable(A([1.0, 2.0]), trainable=False)
        a, b, c = (pg.Variable(A([0.5, -0.5])) for _ in range(3))
        both, one = optim.Momentum(0.1), optim.Adam(0.2)
        for step in range(6):
            y = pg.sum((a * frozen + a * b * b + pg.stop_gradient(c)) ** 2)
            both.minimize(y)
            one.minimize(pg.sum(pg.exp(-a * a)), [a])
            one.minimize(pg.sum(a * b), [a, c] if step > 3 else [b])
        return values_of(both, one, also=(frozen, a, b, c))

    compared(train)


def test_what_changes_between_steps() -> None:
    def train() -> Trained:
        w = pg.Variable(A([3.0, -2.0]))
        optimizer = optim.Adam(0.1)
        for step in range(12):
            if step == 4:
                optimizer.learning_rate.assign(0.5)
            if step == 6:
                optimizer.beta1 = 0.5
            if step == 8:
                optimizer.clip_norm = 0.1
            if step == 9:
                w.assign(w * 0.5)
            if step == 10:
                optimizer.steps.assign(0)
            if step == 11:
                optimizer.clip_norm = None
            optimizer.minimize(pg.sum(w**4))
        return values_of(optimizer, also=(w,))

    compared(train)


def test_a_rate_that_a_schedule_reads_elsewhere() -> None:
    rates = {"now": 0.0}

    def train(make: Callable[[], Any]) -> Trained:
        w, optimizer = pg.Variable(A(3.0)), make()
        for step in range(5):
            rates["now"] = 0.1 * step
            optimizer.minimize(w * w)
        return values_of(also=(w,))

    for make in (
        lambda: optim.GradientDescent(lambda step: step * 0 + rates["now"]),
        lambda: optim.GradientDescent(optim.warmup(lambda step: step * 0 + rates["now"], steps=1)),
    ):
        (w,) = compared(lambda make=make: train(make), updates=False)
        assert abs(w - 3 * 0.8 * 0.6 * 0.4 * 0.2) < 1e-9


def test_optimizers_of_the_user() -> None:
    class Scaled(optim.Optimizer):
        factor = 1.0

        def update(self, parameter: Any, gradient: Any, rate: Any, step: Any, **slots: Any) -> Any:
            return parameter - self.factor * rate * gradient, {}

    class Flipped(optim.GradientDescent):
        def gradients(self, loss: Any, variables: Any = None) -> Any:
            return {v: -g for v, g in super().gradients(loss, variables).items()}

    def train() -> Trained:
        w, optimizer, flipped = pg.Variable(A(1.0)), Scaled(0.1), Flipped(0.1)
        for step in range(4):
            Scaled.factor = float(step)
            optimizer.minimize(3 * w)
            flipped.minimize(w * 1.0)
        return values_of(also=(w,))

    (w,) = compared(train, updates=False)
    assert abs(w - (1 - 0.3 * 6 + 0.4)) < 1e-6


def test_apply_with_gradients_of_the_user() -> None:
    def train() -> Trained:
        w = pg.Variable(A([1.0, 2.0]))
        optimizer = optim.Momentum(0.1)
        for _ in range(4):
            (g,) = pg.gradients(pg.sum(w * w), [w])
            optimizer.minimize(pg.sum(w**2))
            optimizer.apply({w: g * 0.5})
        optimizer.apply({w: pg.tensor(A([1, 1]))})  # of another dtype
        return values_of(optimizer, also=(w,))

    compared(train)


def test_settings_between() -> None:
    def train() -> Trained:
        w, optimizer = pg.Variable(A([0.0, 1.0])), optim.GradientDescent(0.1)
        for step in range(6):
            pg.set_ieee_gradients(step == 4)
            optimizer.minimize(pg.sum(pg.where(w > 0, pg.sqrt(w), 0)))
            if step < 4:
                assert np.isfinite(w.numpy()).all()
        pg.set_ieee_gradients(False)
        return values_of(also=(w,))

    assert np.isnan(compared(train)[0][0])


def test_a_variable_assigned_between_forward_and_step() -> None:
    for engine in ("numpy", "native"):
        pg.set_engine(engine)
        w, optimizer = pg.Variable(A([3.0, 1.0]), name="w"), optim.Adam(0.1)
        for _ in range(4):
            loss = pg.sum(w * w)
            optimizer.minimize(loss)
            before = w.numpy()
            with pytest.raises(GradientError, match="'w' was assigned after"):
                optimizer.minimize(loss)
            assert w.numpy() is before or (w.numpy() == before).all()


def test_arrays_and_gradients_read_before_a_step_dont_change() -> None:
    pg.set_engine("native")
    w, optimizer = pg.Variable(np.ones(100)), optim.Adam(0.1)
    seen: list[tuple[Any, Any]] = []
    for _ in range(5):
        loss = pg.sum(w.reshape(10, 10).T ** 2)
        loss.backward()
        g: Any = w.grad
        seen += [(w.numpy(), w.numpy().copy()), (g.numpy(), g.numpy().copy())]
        optimizer.minimize(loss)
    for array, copied in seen:
        assert (array == copied).all()


def test_random_tapes_have_the_order_of_a_traversal() -> None:
    """So the global norm is summed in the same order, and the state has the same names."""
    rng = np.random.default_rng(3)
    for _ in range(5):
        made: list[Any] = []

        def tape(edges: list[tuple[int, int]], made: list[Any] = made) -> Any:
            nodes = list(made)
            for a, b in edges:
                nodes.append(pg.tanh(nodes[a] * nodes[b] + 0.5))
            return nodes[-1] * nodes[-2] * 1e3

        edges = [(int(rng.integers(5 + n)), int(rng.integers(5 + n))) for n in range(8)]

        def train(edges: Any = edges, made: list[Any] = made) -> Trained:
            made[:] = [pg.Variable(A(0.1 * n)) for n in range(5)]
            optimizer = optim.Momentum(0.1, clip_norm=1.0)
            for _ in range(4):
                optimizer.minimize(tape(edges))
            return values_of(optimizer, also=made)

        compared(train)


def test_a_step_that_fails_changes_nothing() -> None:
    w = pg.Variable(A([1.0, 2.0]))
    optimizer = optim.Adam(0.1)
    for _ in range(3):
        optimizer.minimize(pg.sum(w * w))
    before = values_of(optimizer, also=(w,))
    with pytest.raises(GradientError):
        optimizer.minimize(pg.tensor(2.0) * 3.0)
    with pytest.raises(GradientError):
        optimizer.minimize(w * w)  # not a scalar
    with pytest.raises(GradientError):
        optimizer.minimize(pg.sum(w * w), [w * 1.0])  # pyright: ignore
    for one, two in zip(values_of(optimizer, also=(w,)), before, strict=True):
        assert (one == two).all()


def test_an_observer_sees_every_step() -> None:
    from palingrad.graph.state.observe import Observer, observed

    class Counting(Observer):
        count = 0

        def assigned(self, changes: Any) -> None:
            self.count += 1

    w, optimizer, counting = pg.Variable(A(1.0)), optim.GradientDescent(0.1), Counting()
    for _ in range(3):
        optimizer.minimize(w * w)
    with observed(counting):
        for _ in range(3):
            optimizer.minimize(w * w)
    assert counting.count == 3
    np.testing.assert_allclose(w.numpy(), 0.8**6)


def test_threads_lose_no_step() -> None:
    w, optimizer = pg.Variable(np.zeros(3)), optim.GradientDescent(1.0)

    def train(_: int) -> None:
        for _ in range(30):
            optimizer.minimize(-pg.sum(w))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(train, range(4)))
    assert w.numpy().tolist() == [120.0] * 3
    assert optimizer.steps.item() == 120


def test_optimizers_are_copied_and_let_go() -> None:
    w = pg.Variable(A(1.0))
    optimizer: Any = optim.Adam(0.1)
    for _ in range(3):
        optimizer.minimize(w * w)
    assert len(cached._updates) == 1
    twin = copy.deepcopy(optimizer)
    assert twin.steps.item() == 3
    references = [weakref.ref(optimizer), weakref.ref(w)]
    del optimizer, w, twin
    tapes._structures.clear()
    gc.collect()
    assert len(cached._updates) == 0
    assert [one() for one in references] == [None, None]
