"""Starts the processes of one computation on this host, shows their output, and ends them all when
one fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..errors import ProcessError
from .wire import free_port

_ENDING = 30.0  # seconds that the others have to end by themselves, with their own error
_KILLING = 5.0  # seconds between SIGTERM and SIGKILL
_HOST = "127.0.0.1"
_NOISE = b"[Gloo] Rank "  # of gloo, which prints a line when it has connected


def environment(
    base: Mapping[str, str], index: int, processes: int, port: int, devices: int
) -> dict[str, str]:
    """The environment of the process of this index: who it is, and its devices."""
    flag = "--xla_force_host_platform_device_count"
    flags = [one for one in base.get("XLA_FLAGS", "").split() if not one.startswith(flag)]
    own = range(index * devices, (index + 1) * devices)
    return {
        **base,
        "PALINGRAD_ADDRESS": f"{_HOST}:{port}",
        "PALINGRAD_PROCESSES": str(processes),
        "PALINGRAD_INDEX": str(index),
        "XLA_FLAGS": " ".join([*flags, f"{flag}={devices}"]),
        "JAX_LOCAL_DEVICE_IDS": ",".join(map(str, own)),  # of GPUs
        "PYTHONUNBUFFERED": "1",
    }


class Launch:
    """The processes of a command. `run` waits for their end."""

    def __init__(self, command: Sequence[str], processes: int, devices: int = 1) -> None:
        port = free_port(_HOST)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._readers: list[threading.Thread] = []
        self._turn = threading.Lock()
        try:
            for index in range(processes):
                self._start(command, environment(os.environ, index, processes, port, devices))
        except BaseException:
            self._kill(range(len(self._processes)))
            raise

    def _start(self, command: Sequence[str], variables: Mapping[str, str]) -> None:
        try:
            # In groups of their own: the terminal's Ctrl-C reaches only this process.
            started = subprocess.Popen(
                command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise ProcessError(
                f"launch: {command[0]!r:.90} can't be started: {error.strerror or error}.",
                hint="Write the command after --: palingrad launch -n 4 -- palingrad train digits.",
            ) from error
        index = len(self._processes)
        self._processes.append(started)
        for source, target in ((started.stdout, sys.stdout), (started.stderr, sys.stderr)):
            arguments = (index, source, target)
            self._readers.append(threading.Thread(target=self._copy, args=arguments, daemon=True))
            self._readers[-1].start()

    def _copy(self, index: int, source: Any, target: Any) -> None:
        """Print the lines of a process, each after its number."""
        with source:
            for line in source:
                if line.startswith(_NOISE):
                    continue
                text = line.decode(errors="replace").rstrip("\n")
                with self._turn, suppress(OSError, ValueError):
                    target.write(f"[{index}] {text}\n")
                    target.flush()

    def run(self) -> int:
        """Wait for all; the status of the first that fails, 0 if none does.

        Signals are passed on. When one process has failed, the others have some time to end with
        the error that names it; then they are ended.
        """
        before = {number: signal.signal(number, self._pass_on)
                  for number in (signal.SIGINT, signal.SIGTERM)}  # fmt: skip
        try:
            return self._wait()
        finally:
            self._kill(range(len(self._processes)))
            for reader in self._readers:
                reader.join(2)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _wait(self) -> int:
        failed, deadline = None, float("inf")
        while True:
            states = [one.poll() for one in self._processes]
            if failed is None and any(states):
                failed = next(k for k, state in enumerate(states) if state)
                deadline = time.monotonic() + _ENDING
                self._say(f"process {failed} (pid {self._processes[failed].pid}) "
                          f"{_ended(states[failed])}")  # fmt: skip
            left = [k for k, state in enumerate(states) if state is None]
            if not left:
                return 0 if failed is None else _status(states[failed])
            if time.monotonic() > deadline:
                self._say(f"ends {', '.join(f'process {k}' for k in left)}, which didn't end by "
                          "itself")  # fmt: skip
                self._kill(left)
            time.sleep(0.05)

    def _say(self, text: str) -> None:
        with self._turn, suppress(OSError, ValueError):
            sys.stderr.write(f"launch: {text}\n")
            sys.stderr.flush()

    def _pass_on(self, number: int, frame: Any) -> None:
        self._signal(range(len(self._processes)), number)

    def _signal(self, some: Sequence[int], number: int) -> None:
        for index in some:
            if self._processes[index].poll() is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._processes[index].pid, number)

    def _kill(self, some: Sequence[int]) -> None:
        """End processes, politely at first."""
        self._signal(some, signal.SIGTERM)
        deadline = time.monotonic() + _KILLING
        while time.monotonic() < deadline:
            if all(self._processes[index].poll() is not None for index in some):
                return
            time.sleep(0.02)
        self._signal(some, signal.SIGKILL)
        for index in some:
            self._processes[index].wait()


def _ended(state: Any) -> str:
    if state < 0:
        return f"was ended by {signal.Signals(-state).name}"
    return f"ended with status {state}"


def _status(state: Any) -> int:
    return 128 - state if state < 0 else state
