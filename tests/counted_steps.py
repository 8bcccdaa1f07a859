"""A model whose Variables tell how many steps were taken, and whether all are of the same step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

import palingrad as pg
from palingrad.graph.state.landing import snapshot

X = np.ones((4, 3))


class Counted:
    """Three Variables; step n sets all elements of the first to n, of the second to −n, and the
    third to n."""

    def __init__(self, *engines: str) -> None:
        up, down, count = pg.Variable(np.zeros((3, 50))), pg.Variable(np.zeros(3)), pg.Variable(0)
        self.variables = {"up": up, "down": down, "count": count}
        self.unit = pg.Variable(np.array(1.0), trainable=False)

        def step(x: Any) -> Any:
            total = pg.sum(x @ up) + pg.sum(down)
            up.assign(up + self.unit)
            down.assign(down - self.unit)
            count.assign(count + 1)
            return total, count * 1

        self.steps: list[Any] = [pg.function(step, engine=engine) for engine in engines]
        for each in self.steps:
            each(X)

    def step(self, number: int = 0) -> int:
        """Takes a step with engine `number`; the number of this step. Fails if it read Variables of
        different steps."""
        total, count = self.steps[number](X)
        check_total(total, count - 1)
        return int(count)

    def taken(self) -> int:
        """The number of steps. Fails if the Variables aren't all of the last."""
        _, (up, down, count) = snapshot(list(self.variables.values()))
        return check_state(up, down, count)

    def check_free(self) -> None:
        """Fails if another thread can't step, because it waits for a lock."""
        before = self.taken()
        for number in range(len(self.steps)):
            within(20, lambda number=number: self.step(number))
        assert self.taken() == before + len(self.steps)


def check_state(up: Any, down: Any, count: Any) -> int:
    """The number of the step to which these values belong. Fails if it isn't one step."""
    number = int(count)
    assert (up == number).all(), f"count is {number}, but up has {np.unique(up)}"
    assert (down == -number).all(), f"count is {number}, but down has {np.unique(down)}"
    return number


def check_total(total: Any, number: Any) -> None:
    """Fails unless a step that returned this total began at step `number`."""
    expected = (X.size * 50 - 3) * number
    assert total == expected, f"step {number} returned {total}, expected {expected}"


def within(seconds: float, action: Callable[[], Any]) -> None:
    """Call `action` in another thread. Fails if it takes longer, or fails."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            action()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), f"it takes more than {seconds} s: is a lock held?"
    if errors:
        raise errors[0]
