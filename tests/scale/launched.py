"""Starts a program in several processes, as `palingrad launch` does, for tests that kill one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from palingrad.processes.launcher import environment
from palingrad.processes.wire import free_port

PROGRAM = Path(__file__).with_name("digits_training.py")


@dataclass
class Launched:
    """The processes, and the files that hold what they print."""

    processes: list[subprocess.Popen[bytes]]
    outputs: list[Path]

    def wait(self, seconds: float) -> list[int]:
        """The exit statuses. Raises AssertionError for a process that doesn't end in time."""
        deadline = time.monotonic() + seconds
        for index, one in enumerate(self.processes):
            try:
                one.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise AssertionError(
                    f"process {index} has not ended after {seconds} s\n{self.text()}"
                ) from None
        return [one.returncode for one in self.processes]

    def text(self, index: int | None = None) -> str:
        """What a process, or each of them, has printed."""
        if index is not None:
            return self.outputs[index].read_text(errors="replace")
        return "\n".join(f"--- process {k}\n{self.text(k)}" for k in range(len(self.outputs)))

    def end(self) -> None:
        """Kills all."""
        for one in self.processes:
            one.kill()
            one.wait()


def launched(
    folder: Path, count: int, arguments: Sequence[str], *, patience: float = 20,
    program: Path = PROGRAM,
) -> Launched:  # fmt: skip
    """The program in so many processes; `folder` is its argument, and receives their output."""
    port, found = free_port("127.0.0.1"), Launched([], [])
    base = {**os.environ, "JAX_PLATFORMS": "cpu", "PALINGRAD_PATIENCE": str(patience)}
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        found.outputs.append(folder / f"output-{time.monotonic_ns()}-{index}")
        with open(found.outputs[-1], "wb") as output:
            found.processes.append(
                subprocess.Popen(
                    [sys.executable, program, folder, *arguments],
                    env=environment(base, index, count, port, 1),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            )
    return found


def losses(folder: Path) -> list[str]:
    """The lines that process 0 has written, one a step."""
    path = folder / "losses"
    return path.read_text().splitlines() if path.exists() else []
