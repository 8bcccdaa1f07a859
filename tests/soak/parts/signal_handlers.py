"""Signal handlers read, save, run, step, assign and compile while the main thread steps."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

import palingrad as pg
from counted_steps import Counted, check_state
from palingrad.io import load_checkpoint, restore, save_checkpoint

ISOLATED = True  # sets signal handlers
SECONDS = 0.4


def attempt(seed: int, folder: Path) -> None:
    """A timer's handler does one thing after the other; then all steps are counted."""
    rng = random.Random(seed)
    model = Counted(rng.choice(("numpy", "native")), rng.choice(("numpy", "native", "auto")))
    variables = model.variables
    steps, arrays = [0], list[tuple[Any, Any]]()

    def read() -> None:
        model.taken()
        array = variables["up"].numpy()
        arrays.append((array, array.copy()))

    def save() -> None:
        save_checkpoint(folder, variables)
        saved = load_checkpoint(folder).arrays
        check_state(saved["up"], saved["down"], saved["count"])

    def put_back() -> None:
        restore(variables, load_checkpoint(save_checkpoint(folder, variables)))

    def step() -> None:
        model.step(rng.randrange(2))
        steps[0] += 1

    def compile_new() -> None:
        number = rng.randrange(1000)
        engine = rng.choice(("numpy", "native"))
        f = pg.function(lambda x: x + variables["count"] + number, engine=engine)
        assert f(np.array(0)) == variables["count"].numpy() + number

    actions = [read, save, put_back, step, step, compile_new]
    handled, going = [0], [True]

    def handle(number: int, frame: Any) -> None:
        handled[0] += 1
        rng.choice(actions)()
        if going:
            signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, 2e-3))

    before = signal.signal(signal.SIGALRM, handle)
    start, own = model.taken(), 0
    try:
        end = time.monotonic() + SECONDS
        signal.setitimer(signal.ITIMER_REAL, 1e-3)
        while time.monotonic() < end:
            model.step(rng.randrange(2))
            own += 1
    finally:
        going.clear()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert handled[0], "no signal came"
    assert model.taken() == start + own + steps[0], f"{own} steps, {steps[0]} in handlers"
    for array, copy in arrays:
        assert (array == copy).all(), "an array changed that a handler had read"
    model.check_free()
