"""A part's worker process, as seen from outside: started, given attempts, killed when it hangs."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from soak.worker import STACKS

_TESTS = Path(__file__).parents[1]
_START = 60.0  # seconds in which a worker must have imported its part
_TAIL = 6000  # characters of output that a failure shows


class Ended(Exception):
    """The worker process has ended."""


class Worker:
    """The process that makes the attempts of the part in `module`; `folder` holds its output."""

    def __init__(self, module: str, folder: Path, environment: dict[str, str]) -> None:
        self.seeds: list[int] = []  # of the attempts made in this process
        self._log = tempfile.TemporaryFile(dir=folder)
        self._buffer = b""
        self._results, ours = os.pipe()
        path = os.pathsep.join(filter(None, [str(_TESTS), os.environ.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "soak.worker", module, str(ours)],
            env={**os.environ, "PYTHONPATH": path, **environment},
            stdin=subprocess.PIPE, stdout=self._log, stderr=subprocess.STDOUT,
            pass_fds=[ours], start_new_session=True, text=True,
        )  # fmt: skip
        os.close(ours)
        self._attempting = self._process.pid
        self.failed = self._failure_to_start()

    def _failure_to_start(self) -> str | None:
        try:
            constants = self._message(time.monotonic() + _START)
        except Ended:
            return f"the worker process ended with {self._status()}\n{self._output()}"
        if constants is None:
            return f"the worker process wasn't ready after {_START:g} s\n{self._stacks()}"
        self.isolated = constants["isolated"]
        self.timeout: float = constants["timeout"]
        self.short: int = constants["short"]
        return None

    def attempt(self, seed: int, folder: Path) -> str | None:
        """Make one attempt; a description of its failure, or None. After a failure the worker is
        of no more use."""
        self._log.seek(0)
        self._log.truncate()
        self.seeds.append(seed)
        deadline = time.monotonic() + self.timeout
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps({"seed": seed, "folder": str(folder)}) + "\n")
            self._process.stdin.flush()
            self.failed = self._outcome(deadline)
        except (Ended, BrokenPipeError):
            self.failed = f"the process ended with {self._status()}\n{self._output()}"
        return self.failed

    def _outcome(self, deadline: float) -> str | None:
        found: dict[str, Any] = {}
        while not found.keys() >= ({"failure", "exit"} if self.isolated else {"failure"}):
            if "exit" in found:
                return f"the process ended with {_named(found['exit'])}\n{self._output()}"
            message = self._message(deadline)
            if message is None:
                return f"hung: not done after {self.timeout:g} s\n{self._stacks()}"
            self._attempting = message.get("pid", self._attempting)
            found |= message
        failure = found["failure"]
        return None if failure is None else f"{failure}{self._output()}"

    def _message(self, deadline: float) -> dict[str, Any] | None:
        """The next message, None after the deadline. Raises Ended where the process has ended."""
        while b"\n" not in self._buffer:
            readable, _, _ = select.select([self._results], [], [], 0.2)
            if readable:
                content = os.read(self._results, 65536)
                if not content:
                    raise Ended
                self._buffer += content
            elif self._process.poll() is not None:
                raise Ended
            elif time.monotonic() > deadline:
                return None
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)

    def _stacks(self) -> str:
        """The output, with the stacks of the hung process and of those it forked."""
        _kill(self._attempting, STACKS)
        size = -1
        while size != (size := os.fstat(self._log.fileno()).st_size):
            time.sleep(0.5)
        return self._output()

    def _output(self) -> str:
        self._log.seek(0)
        text = self._log.read().decode(errors="replace").strip()
        return f"Output:\n{text[-_TAIL:]}\n" if text else ""

    def _status(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return _named(self._process.wait(5))
        return "a closed pipe"

    def end(self) -> None:
        """Kills the process, and all that it started."""
        for leader in {self._attempting, self._process.pid}:
            _kill(leader, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        os.close(self._results)
        self._log.close()


def _kill(leader: int, number: int) -> None:
    """Sends a signal to all processes of a group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _named(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
