"""Feeds that are sent to a device before their run: during the last one, or once for many runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from ..dtypes import Array

Sent: TypeAlias = list[tuple[Array, Any]]  # arrays, and what an engine has made of them
Send: TypeAlias = Callable[[Sequence[Array]], Sent]


class Ahead:
    """Reads the feeds of the next run: `read` is called during a run, if the engine has a device
    that computes meanwhile, and returns them. It raises nothing that isn't to end the run."""

    def __init__(self, read: Callable[[], Sequence[Array]]) -> None:
        self._read = read
        self._sent: Sent = []

    @contextmanager
    def during(self) -> Generator[None]:
        """For a run in this thread, until the end of the `with`."""
        _current.ahead = self
        try:
            yield
        finally:
            _current.ahead, _current.sent = None, []

    def lend(self, feeds: Sequence[Array], send: Send) -> None:
        """Before the run: its feeds, which were sent during the last one, or are now. While the
        next ones are read, their memory may be written over."""
        _current.sent, self._sent = self._sent or send(feeds), []

    def go_on(self, send: Send) -> None:
        """During the run: reads and sends the feeds of the next one."""
        self._sent = send(self._read())


class Lasting:
    """Arrays that are fed to many runs and don't change meanwhile: they are sent once."""

    def __init__(self, arrays: Sequence[Array]) -> None:
        self._arrays = arrays
        self._sent: Sent | None = None

    @contextmanager
    def during(self) -> Generator[None]:
        """For runs in this thread, until the end of the `with`."""
        _current.lasting = self
        try:
            yield
        finally:
            _current.lasting = None

    def sent(self, send: Send) -> Sent:
        """The arrays on the device."""
        if self._sent is None:
            self._sent = send(self._arrays)
        return self._sent


class _Current(threading.local):
    ahead: Ahead | None = None
    lasting: Lasting | None = None
    sent: Sent = []


_current = _Current()


def taken_ahead() -> Ahead | None:
    """What is to be read during this thread's next run, which begins."""
    ahead = _current.ahead
    if ahead is not None:
        _current.ahead = None
    return ahead


def sent(send: Send) -> Sent:
    """The feeds of this thread's run that were sent before, or are now and last."""
    lasting = _current.lasting
    return _current.sent if lasting is None else lasting.sent(send) + _current.sent
