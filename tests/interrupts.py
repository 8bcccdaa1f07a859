"""Interrupts at every point where CPython allows one: a tool for tests.

CPython looks for signals and asynchronous exceptions after calls, at the start of functions and at
backward jumps. `at_point` does something at the n-th such point inside palingrad, so a loop over n
covers them all, without depending on time.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from itertools import pairwise
from types import CodeType, FrameType
from typing import Any

from palingrad.graph.context import PACKAGE

_known: dict[CodeType, set[int]] = {}


class Interrupted(BaseException):
    """Raised by an injected interrupt; no code catches it by accident."""


def _points(code: CodeType) -> set[int]:
    """The offsets of the instructions before which CPython looks."""
    found = _known.get(code)
    if found is None:
        found = _known[code] = set()
        instructions = list(dis.get_instructions(code))
        for one, after in pairwise(instructions):
            name = one.opname
            if name == "RESUME" or (name.startswith("CALL") and name != "CALL_INTRINSIC_1"):
                found.add(after.offset)
            elif "JUMP" in name and "BACKWARD" in name and "NO_INTERRUPT" not in name:
                found.add(int(one.argval))
    return found


class _Tracer:
    def __init__(self, number: int, action: Callable[[], Any]) -> None:
        self.left, self.action, self.done = number, action, False

    def start(self, frame: FrameType, event: str, argument: Any) -> Any:
        if self.done or not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self.trace

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "opcode" and not self.done:
            if frame.f_lasti in _points(frame.f_code):
                self.left -= 1
                if self.left < 0:
                    self.done = True
                    self.action()
        return self.trace


def at_point(number: int, run: Callable[[], Any], action: Callable[[], Any]) -> bool:
    """Call `run()`, and `action()` at the `number`th point inside palingrad at which CPython would
    run a signal handler. Returns whether there was such a point. What `action` raises is raised
    there."""
    tracer = _Tracer(number, action)
    before = sys.gettrace()
    sys.settrace(tracer.start)
    try:
        run()
    finally:
        sys.settrace(before)
    return tracer.done


def points(run: Callable[[], Any]) -> int:
    """The number of such points in `run()`."""
    tracer = _Tracer(1 << 60, stop)
    before = sys.gettrace()
    sys.settrace(tracer.start)
    try:
        run()
    finally:
        sys.settrace(before)
    return (1 << 60) - tracer.left


def stop() -> None:
    """An action that interrupts, as Ctrl-C does."""
    raise Interrupted
