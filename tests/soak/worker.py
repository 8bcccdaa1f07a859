"""The process that makes a part's attempts: `python -m soak.worker MODULE FD`.

Reads {"seed", "folder"} as lines of JSON from standard input, and writes to the descriptor FD:
first {"isolated", "timeout", "short"}; then for each attempt {"pid"} of the process that makes it,
{"failure"} with a traceback or null, and from an isolated part {"exit"}, the process's exit code.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

# Prints the stack of every thread: a signal that no part uses for itself.
STACKS = getattr(signal, "SIGRTMIN", signal.SIGUSR2)


def main(module: str, descriptor: int) -> None:
    """Make an attempt for each line of standard input."""
    faulthandler.enable()
    faulthandler.register(STACKS, all_threads=True)
    part = importlib.import_module(module)
    isolated = bool(getattr(part, "ISOLATED", False))
    constants = {"timeout": getattr(part, "TIMEOUT", 60), "short": getattr(part, "SHORT", 3)}
    _write(descriptor, {"isolated": isolated, **constants})
    for line in sys.stdin:
        order = json.loads(line)
        given = part, order["seed"], Path(order["folder"])
        if isolated:
            _in_child(descriptor, *given)
        else:
            _write(descriptor, {"pid": os.getpid()})
            _attempt(descriptor, *given)


def _in_child(descriptor: int, part: ModuleType, seed: int, folder: Path) -> None:
    """One attempt in a forked process, the leader of a new session."""
    assert threading.active_count() == 1, "importing the part has started threads: a fork may hang"
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _isolated(descriptor, part, seed, folder)
    _, status = os.waitpid(pid, 0)
    try:
        os.killpg(pid, signal.SIGKILL)  # processes that the attempt left behind
    except ProcessLookupError:
        pass
    _write(descriptor, {"exit": os.waitstatus_to_exitcode(status)})


def _isolated(descriptor: int, part: ModuleType, seed: int, folder: Path) -> NoReturn:
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        _write(descriptor, {"pid": os.getpid()})
        _attempt(descriptor, part, seed, folder)
    finally:
        os._exit(0)


def _attempt(descriptor: int, part: ModuleType, seed: int, folder: Path) -> None:
    failure, pid = None, os.getpid()
    try:
        part.attempt(seed, folder)
    except BaseException:
        failure = traceback.format_exc()
    if os.getpid() != pid:  # a forked process returned from the attempt
        print(f"a process forked by the attempt returned from it: {failure}", file=sys.stderr)
        os._exit(1)
    _write(descriptor, {"failure": failure})


def _write(descriptor: int, message: dict[str, Any]) -> None:
    content = json.dumps(message).encode() + b"\n"
    while content:
        content = content[os.write(descriptor, content) :]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
