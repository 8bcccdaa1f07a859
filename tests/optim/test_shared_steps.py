"""Eager steps of several threads and of signal handlers: no update is lost."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import pytest

import palingrad as pg


@pytest.fixture(autouse=True)
def _switching() -> Generator[None]:
    """Threads take turns every 10 µs."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def run_threads(count: int, target: Callable[[], object]) -> None:
    threads = [threading.Thread(target=target) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_that_share_an_optimizer_lose_no_step():
    w, optimizer = pg.Variable(np.zeros(3)), pg.optim.GradientDescent(1.0)
    loss = -pg.sum(w)
    run_threads(4, lambda: [optimizer.minimize(loss, [w]) for _ in range(60)])
    assert w.numpy().tolist() == [240.0] * 3
    assert optimizer.steps.item() == 240


def test_threads_that_share_variables_lose_no_step():
    w = pg.Variable(np.zeros(3))
    loss = -pg.sum(w)

    def train() -> None:
        own = pg.optim.GradientDescent(1.0)
        for _ in range(60):
            own.minimize(loss, [w])

    run_threads(4, train)
    assert w.numpy().tolist() == [240.0] * 3


def test_accumulated_gradients_are_all_counted():
    w, optimizer = pg.Variable(np.zeros(3)), pg.optim.GradientDescent(1.0)
    loss = -pg.sum(w)
    run_threads(4, lambda: [optimizer.accumulate(loss, [w]) for _ in range(60)])
    assert optimizer._weight.item() == 240
    optimizer.apply()
    assert w.numpy().tolist() == [1.0] * 3


def test_a_handler_that_steps_in_the_middle_of_a_step_is_counted():
    class Slow(pg.optim.Optimizer):
        def update(
            self, parameter: Any, gradient: Any, rate: Any, step: Any, **slots: Any
        ) -> tuple[Any, dict[str, Any]]:
            new = parameter - rate * gradient
            if not seen:
                seen.append(1)
                signal.raise_signal(signal.SIGUSR1)
            return new, {}

    seen: list[int] = []
    w, optimizer = pg.Variable(np.zeros(3)), Slow(1.0)
    loss = -pg.sum(w)
    before = signal.signal(signal.SIGUSR1, lambda *_: optimizer.minimize(loss, [w]))
    try:
        optimizer.minimize(loss, [w])
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert (w.numpy().tolist(), optimizer.steps.item()) == ([2.0] * 3, 2)
