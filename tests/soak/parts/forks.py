"""Processes fork while threads train: each child has one step's Variables, and goes on."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
import traceback
from pathlib import Path

import numpy as np

import palingrad as pg
from counted_steps import Counted, within

ISOLATED = True  # forks
SHORT = 1


def attempt(seed: int, folder: Path) -> None:
    """Three forks while two threads step, one of them with another engine."""
    rng = random.Random(seed)
    engines = rng.choice(("numpy", "native", "auto")), rng.choice(("numpy", "native", "auto"))
    pg.set_num_threads(rng.choice((1, 2)))
    model = Counted(*engines)
    stop = threading.Event()

    def train(number: int) -> None:
        while not stop.is_set():
            model.step(number)

    threads = [threading.Thread(target=train, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            time.sleep(rng.uniform(0, 0.01))
            process = os.fork()
            if process == 0:
                in_child(model, rng)
            _, status = os.waitpid(process, 0)
            assert status == 0, f"with {engines} the child ended with {status}"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    model.check_free()


def in_child(model: Counted, rng: random.Random) -> None:
    """Reads, steps and compiles; ends the process with status 0 if all is well."""
    signal.alarm(30)
    status = 1
    try:
        before = model.taken()
        model.step(0)
        model.step(1)
        within(20, lambda: model.step(0))
        assert model.taken() == before + 3
        f = pg.function(lambda x: x * model.variables["up"], engine="native")
        assert (f(np.float64(2)) == 2 * (before + 3)).all()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
