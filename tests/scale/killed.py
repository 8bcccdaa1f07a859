"""A soak part: one of four processes is killed at a random moment, and three go on.

Run in `tests/`: python -m scale.killed --attempts 20 --seed 0. `make soak-scale` does it.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from palingrad.train import Checkpoints
from scale.launched import Launched, launched, losses
from soak.run import run, show

TIMEOUT = 400
_SAME = "deterministic=True"


@cache
def _whole() -> list[str]:
    """The losses of one process that nothing stops, a line for each step."""
    with tempfile.TemporaryDirectory() as folder:
        running = launched(Path(folder), 1, [_SAME, "every=1"])
        try:
            assert not any(running.wait(120)), running.text()
        finally:
            running.end()
        return losses(Path(folder))


def attempt(seed: int, folder: Path) -> None:
    """Kill one of four, see the others name it within 30 s, and let three end the training."""
    rng = random.Random(seed)
    every = rng.choice([1, 2, 4])
    options = [_SAME, f"every={every}", f"sharding={rng.choice(['replicated', 'fully_sharded'])!r}"]
    whole = _whole()[every - 1 :: every]
    victim, seconds = None, 0.0
    for number in range(5):  # until a moment is found at which the training isn't over yet
        run = folder / f"run-{number}"
        victim, seconds = _four(rng, run, options, whole)
        if victim is not None:
            break
    assert victim is not None
    before = losses(run)
    found = Checkpoints(run / "checkpoints").newest()
    done = 0 if found is None else found.meta["place"]["steps"] // every
    running = launched(run, 3, [*options, "resume=True"])
    try:
        assert not any(running.wait(200)), running.text()
    finally:
        running.end()
    after = losses(run)[len(before) :]
    assert after == whole[done:], (done, after, whole)
    report = f"seed {seed}: process {victim}, {options[1:]}, {len(before)} of {len(whole)} " \
        f"losses, {done} saved; the others ended in {seconds:.1f} s\n"  # fmt: skip
    if "SOAK_REPORT" in os.environ:
        with open(os.environ["SOAK_REPORT"], "a") as file:
            file.write(report)


def _four(
    rng: random.Random, folder: Path, options: list[str], whole: list[str]
) -> tuple[int | None, float]:
    """(the process that was killed, the seconds in which the others ended); None if the training
    was over by then."""
    running = launched(folder, 4, options)
    try:
        victim = _killed(rng, running, folder, len(whole))
        start = time.monotonic()
        statuses = running.wait(30)
        seconds = time.monotonic() - start
    finally:
        running.end()
    before = losses(folder)
    assert before == whole[: len(before)], (before, whole)
    others = [status for index, status in enumerate(statuses) if index != victim]
    if others == [0, 0, 0] and before == whole:
        return None, seconds
    for index, status in enumerate(statuses):
        if index != victim:
            text = running.text(index)
            assert status == 1, f"{statuses}\n{running.text()}"
            assert f"process {victim} (" in text, running.text()
            assert "has died: its connection was closed" in text, running.text()
    return victim, seconds


def _killed(rng: random.Random, running: Launched, folder: Path, count: int) -> int:
    """Kill a process: soon after its first run has begun, or at some step. Returns its number."""
    victim, step = rng.randrange(4), rng.randrange(-1, 3 * count // 4)
    while (len(losses(folder)) < step) or "[Gloo]" not in running.text(victim):
        assert all(one.poll() is None for one in running.processes), running.text()
        time.sleep(0.005)
    time.sleep(rng.uniform(0.0, 2.0 if step < 1 else 0.05))
    assert running.processes[victim].poll() is None, "it has ended before it was killed"
    running.processes[victim].send_signal(signal.SIGKILL)
    return victim


def main() -> int:
    """Make the attempts, and print how many failed."""
    parser = argparse.ArgumentParser(prog="python -m scale.killed", description=__doc__)
    parser.add_argument("--attempts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    options = parser.parse_args()
    quick = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    os.environ.setdefault("XLA_FLAGS", quick)
    parts = run(["scale.killed"], seed=options.seed, attempts=options.attempts)
    show(parts)
    return int(any(part.failures for part in parts))


if __name__ == "__main__":
    sys.exit(main())
