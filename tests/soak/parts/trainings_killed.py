"""Trainings are killed while they train and save, and resumed: they end with the same bytes."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from palingrad.io import load_checkpoint, save_checkpoint
from train.resumable import state, trained

ISOLATED = True  # forks
SHORT = 3


@cache
def _wanted(folder: str) -> dict[str, Any]:
    """The Variables of a training that is never stopped."""
    return state(*trained(folder)[:2])


def attempt(seed: int, folder: Path) -> None:
    """Kill a training at up to 5 moments, resume it, and let the last one end."""
    rng = random.Random(seed)
    wanted = _wanted(str(folder / "whole"))
    for left in reversed(range(rng.randrange(1, 6))):
        pid = os.fork()
        if not pid:
            try:
                model, optimizer, _ = trained(folder / "run", resume=True)
                save_checkpoint(folder / "end", state(model, optimizer))
            except BaseException as error:
                print(error, file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        if left:
            time.sleep(rng.uniform(0.0, 1.5))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            continue
        _, status = os.waitpid(pid, 0)
        assert status == 0, "the resumed training failed"
    found = load_checkpoint(folder / "end").arrays
    assert sorted(found) == sorted(wanted)
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
