"""A line that says how far something long has come, in a terminal or a notebook."""

from __future__ import annotations

import sys
from time import perf_counter

_PATIENCE = 0.5  # seconds until the line appears


class Progress:
    """One line on standard error, replaced by each new state and erased by `end`.

    It appears after half a second, and only where somebody may be looking: in a terminal or a
    notebook.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._start = perf_counter()
        self._width = 0

    def at(self, state: str) -> None:
        """Shows the state, once half a second is over."""
        if perf_counter() - self._start < _PATIENCE or not _is_seen():
            return
        line = f"palingrad: {self._what}: {state}"
        _write(f"\r{line.ljust(self._width)}")
        self._width = len(line)

    def end(self) -> None:
        """Erases the line."""
        if self._width:
            _write(f"\r{' ' * self._width}\r")
            self._width = 0


def _is_seen() -> bool:
    return sys.stderr is not None and (sys.stderr.isatty() or "ipykernel" in sys.modules)


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
