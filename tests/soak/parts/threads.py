"""Threads step with several engines, read, save and restore the same Variables."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import palingrad as pg
from counted_steps import Counted, check_state
from palingrad.io import load_checkpoint, save_checkpoint

ISOLATED = True  # a fault is a hang
SECONDS = 0.3


def attempt(seed: int, folder: Path) -> None:
    """Two to four threads that step, and one each that reads, saves, assigns and compiles."""
    rng = random.Random(seed)
    pg.set_num_threads(rng.choice((1, 2)))
    model = Counted("numpy", "native", "auto")
    end = time.monotonic() + SECONDS
    steps: list[int] = []
    kept: list[tuple[Any, Any]] = []

    def step(number: int) -> None:
        model.step(number)
        steps.append(1)

    def read() -> None:
        model.taken()
        array = model.variables["up"].numpy()
        if len(kept) < 100:
            kept.append((array, array.copy()))

    def save() -> None:
        saved = load_checkpoint(save_checkpoint(folder, model.variables)).arrays
        check_state(saved["up"], saved["down"], saved["count"])

    def assign() -> None:
        model.unit.assign(model.unit)  # which each step reads

    def run() -> None:
        up, down, count = pg.Session(engine="numpy").run(list(model.variables.values()))
        check_state(up, down, count)

    jobs: list[Callable[[], None]] = [
        *(partial(step, rng.randrange(3)) for _ in range(rng.randint(2, 4))),
        *rng.sample([read, save, assign, run], rng.randint(1, 4)),
    ]
    errors: list[BaseException] = []

    def repeat(job: Callable[[], None]) -> None:
        try:
            while time.monotonic() < end and not errors:
                job()
        except BaseException as error:
            errors.append(error)

    before, start = sys.getswitchinterval(), model.taken()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=repeat, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "threads wait for each other"
    sys.setswitchinterval(before)
    if errors:
        raise errors[0]
    assert model.taken() == start + len(steps), f"{len(steps)} steps were taken"
    for array, copy in kept:
        assert (array == copy).all(), "an array changed that a thread had read"
