"""Starts `worker.py` in a process for one contender, and sends it requests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("worker.py")


class WorkerError(Exception):
    """An error in the worker process."""


def surroundings() -> dict[str, str]:
    """The environment of this process, with bytecode enabled: installed packages have bytecode, and
    without it each process would also measure Python's compiler."""
    return {k: value for k, value in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


class Process:
    """A worker process, started on construction; each request waits for its answer."""

    def __init__(
        self,
        contender: str,
        threads: int,
        environment: Mapping[str, str] | None = None,
        *,
        cpu: bool = False,
    ) -> None:
        clock = "cpu" if cpu else "wall"
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER), contender, str(threads), clock],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if not os.environ.get("LOUD") else None,
            text=True,
            env={**surroundings(), **(environment or {})},
        )

    def ask(self, call: str, **given: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps([call, given]) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkerError(f"the process ended with {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["answer"]

    def end(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
