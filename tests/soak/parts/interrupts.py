"""Asynchronous exceptions at random moments of tight steps: each step is taken whole or not."""

from __future__ import annotations

import ctypes
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import palingrad as pg
from counted_steps import Counted, X, check_total

ISOLATED = True  # raises in the process's own threads
SECONDS = 0.4
LONG = np.broadcast_to(X, (20_000, *X.shape))


class Interrupt(BaseException):
    """What is raised."""


def attempt(seed: int, folder: Path) -> None:
    """Interrupt one engine's steps, by signals or from another thread."""
    rng = random.Random(seed)
    engine = rng.choice(("numpy", "native"))
    pg.set_num_threads(rng.choice((1, 2)))
    model = Counted(engine)
    repeats = rng.random() < 0.3
    rng.choice((by_signal, by_thread))(model, rng, repeats)
    model.check_free()


def interrupted(model: Counted, repeats: bool) -> None:
    """Takes steps until an interrupt comes."""
    while True:
        if repeats:
            totals, counts = model.steps[0].repeat(LONG, along=(0,))
            check_total(totals[-1], counts[-1] - 1)
        else:
            model.step()


def by_signal(model: Counted, rng: random.Random, repeats: bool) -> None:
    """A timer's signal handler raises."""
    armed = [False]

    def handle(number: int, frame: Any) -> None:
        if armed[0]:
            raise Interrupt

    before = signal.signal(signal.SIGALRM, handle)
    end = time.monotonic() + SECONDS
    taken = model.taken()
    try:
        while time.monotonic() < end:
            try:
                # Again later, because Python drops what is raised in a finalizer.
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, 2e-3), 0.05)
                armed[0] = True
                interrupted(model, repeats)
            except Interrupt:
                armed[0] = False
            now = model.taken()
            assert now >= taken, f"{taken} steps, and later {now}"
            taken = now
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def by_thread(model: Counted, rng: random.Random, repeats: bool) -> None:
    """`PyThreadState_SetAsyncExc` raises in another thread."""
    end = time.monotonic() + SECONDS
    ready, failures = threading.Event(), list[BaseException]()

    def work() -> None:
        try:
            ready.set()
            interrupted(model, repeats)
        except Interrupt:
            pass
        except BaseException as error:
            failures.append(error)

    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    while time.monotonic() < end:
        ready.clear()
        thread = threading.Thread(target=work)
        thread.start()
        ready.wait()
        time.sleep(rng.uniform(0, 2e-3))
        raise_in(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Interrupt))
        while thread.is_alive():  # again, because Python drops what is raised in a finalizer
            thread.join(1)
            raise_in(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Interrupt))
        assert not failures, failures
        model.taken()
