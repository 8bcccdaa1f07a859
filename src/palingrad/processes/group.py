"""This process as one of several: what it tells, what it agrees on, and its end if another fails.

A thread keeps the connection to process 0. When it hears that a process has died or hangs, the main
thread raises ProcessError at the next thing that it does together with the others. Where it can't,
because it waits in such a thing, the thread ends the process: with the same text, and the stacks.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TypeVar

from ..errors import ProcessError, printable
from .judge import PATIENCE
from .service import PROTOCOL, Service, beat
from .wire import Channel, Closed, Message, listener

T = TypeVar("T")
_GRACE = 2.0  # seconds that the main thread has to raise the error itself
_LEAVING = 5.0  # seconds that it has afterwards
STATUS = 1  # the exit status of a process that ends because of another one
_HINT = "Training goes on from the last checkpoint, with any number of processes: resume it."


class Group:
    """The processes that compute together, as process `index` of `count` sees them."""

    def __init__(
        self, address: tuple[str, int], count: int, index: int, *, timeout: float = 60.0,
        patience: float = PATIENCE, welcome: Mapping[str, Any] = {}, alike: Mapping[str, Any] = {},
        exit: Callable[[int], Any] = os._exit,
    ) -> None:  # fmt: skip
        self._exit, self._pause = exit, beat(patience)
        self.index, self.count, self.patience = index, count, patience
        self.verdict: str | None = None
        self.welcome: Message = {}
        self._at: tuple[int, str, str] = (0, "the start", "")
        self._news = threading.Condition()
        self._answers: dict[int, list[Any]] = {}
        self._taken, self._over, self._farewell = threading.Event(), False, False
        self._failed, self._status = False, STATUS
        where = f"{socket.gethostname()}, pid {os.getpid()}"
        self._first = "process 0"
        self._service: Service | None = None
        if index == 0:
            self._service = Service(
                listener(*address), count, timeout=timeout, patience=patience,
                welcome={**welcome, "where": where},
            )  # fmt: skip
        self._channel = _connected(address, timeout)
        self._channel.send({"protocol": PROTOCOL, "index": index, "count": count, "where": where,
                            "alike": dict(alike)})  # fmt: skip
        threading.Thread(target=self._listen, name="palingrad group", daemon=True).start()
        with self._news:
            self._news.wait_for(lambda: self.welcome or self.verdict, timeout + 5)
        if not self.welcome:
            self._raise()
        self._first = f"process 0 ({self.welcome['where']})"

    # ---------------------------------------------------------------- with the others

    def begin(self, label: str) -> None:
        """Something that all processes do begins. Raises ProcessError if one can't."""
        self._at = self._at[0] + 1, label, ""
        if self.verdict is not None:
            self._raise()

    def agree(self, what: str, value: Any = None) -> list[Any]:
        """The values of all processes, by index; each waits until all have come to `what`.
        Raises ProcessError where a process has died, hangs, or is elsewhere in the program."""
        self.begin(what)
        number = self._at[0]
        self._send({"at": self._at, "agree": number, "value": value})
        with self._news:
            self._news.wait_for(lambda: number in self._answers or self.verdict is not None)
            if number in self._answers:
                return self._answers.pop(number)
        self._raise()

    @contextmanager
    def busy(self, what: str) -> Generator[None]:
        """In the `with` this process does something of its own that may take long."""
        count, label, before = self._at
        self._at = count, label, what
        try:
            yield
        finally:
            self._at = self._at[0], self._at[1], before

    def blame(self, error: BaseException) -> None:
        """Raise ProcessError from an error of a computation across processes, if within the
        patience it turns out that another process is the cause."""
        if isinstance(error, ProcessError):
            return
        with self._news:
            self._news.wait_for(lambda: self.verdict is not None, self.patience + 2 * self._pause)
        if self.verdict is not None:
            self._taken.set()
            raise ProcessError(self.verdict, hint=_HINT) from error

    def _raise(self) -> NoReturn:
        self._taken.set()
        hint = _HINT if self.welcome else ""
        raise ProcessError(self.verdict or "process 0 didn't answer", hint=hint)

    # ---------------------------------------------------------------- the end

    def fail(self, error: BaseException | str, status: int = STATUS) -> None:
        """This process ends with an error, and this exit status: tell the others."""
        if self._over or self._failed:
            return
        self._failed, self._status = True, status
        text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        if self.verdict is None:
            self._send({"at": self._at, "failed": printable(text, 400).rstrip(".")})

    def leave(self) -> None:
        """The end of the process: wait for the others'. After a failure it ends at once, since
        JAX would wait for a process that is gone."""
        if not self._failed and self.verdict is None:
            self._send({"at": self._at, "bye": True})
            with self._news:
                self._news.wait_for(lambda: self._farewell or self.verdict is not None)
        self._over = True
        if self._service is not None:  # else the others would hear that this one has died
            self._service.done.wait(_LEAVING)
        if not self._farewell:
            if self.verdict is not None and not self._taken.is_set() and not self._failed:
                self._taken.set()
                _write(f"error: {self.verdict}. {_HINT}")
            _flush()
            self._exit(self._status)

    # ---------------------------------------------------------------- the thread

    def _send(self, message: Message) -> None:
        with suppress(Closed):  # the thread notices it
            self._channel.send(message)

    def _listen(self) -> None:
        heard = last = time.monotonic()
        while self.verdict is None and not self._farewell:
            wait = max(0.0, last + self._pause - time.monotonic())
            readable, _, _ = select.select([self._channel], [], [], wait)
            now = time.monotonic()
            if readable:
                heard = now
                try:
                    for message in self._channel.receive():
                        self._hear(message)
                except Closed:
                    self._judged(f"{self._first} has died: its connection was closed" if
                                 self.welcome else "process 0 has ended before all processes were "
                                 "there; its own output says why")  # fmt: skip
            elif now - heard > self.patience:
                self._judged(f"{self._first} gave no sign of life for {self.patience:.0f} s: it "
                             "was stopped, or its host or the network is down")  # fmt: skip
            if now - last >= self._pause:
                last = now
                self._send({"at": self._at})
        self._channel.close()
        if self.verdict is not None:
            self._end()

    def _hear(self, message: Message) -> None:
        with self._news:
            if "welcome" in message:
                self.welcome = message
            elif "agreed" in message:
                self._answers[message["agreed"]] = message["values"]
            elif "farewell" in message:
                self._farewell = True
            elif "verdict" in message:
                self.verdict = self.verdict or str(message["verdict"])
            self._news.notify_all()

    def _judged(self, text: str) -> None:
        with self._news:
            self.verdict = self.verdict or text
            self._news.notify_all()

    def _end(self) -> None:
        """The main thread has some time to raise the error and to end."""
        if self._taken.wait(_GRACE) or self._failed:
            time.sleep(_LEAVING)
        else:
            _write(f"error: {self.verdict}. {_HINT}")
            with suppress(Exception):
                faulthandler.dump_traceback(2, all_threads=True)
        if not self._over:
            _flush()
            self._exit(STATUS)


def _connected(address: tuple[str, int], timeout: float) -> Channel:
    """A connection to process 0, which may not listen yet. Raises ProcessError."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return Channel(socket.create_connection(address, timeout=5))
        except OSError as error:
            if time.monotonic() > deadline:
                raise ProcessError(
                    f"process 0 can't be reached at {address[0]}:{address[1]} within "
                    f"{timeout:.0f} s ({error.strerror or error}).",
                    hint="All processes need the address of process 0, and a port that is open.",
                ) from error
            time.sleep(0.05)


def _write(text: str) -> None:
    with suppress(OSError):
        os.write(2, f"{text}\n".encode(errors="backslashreplace"))


def _flush() -> None:
    """Flush the output, unless that would wait for another thread."""

    def flush() -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()

    thread = threading.Thread(target=flush, daemon=True)
    with suppress(RuntimeError):
        thread.start()
        thread.join(1.0)


# ---------------------------------------------------------------- the process's group

_group: Group | None = None


def current() -> Group | None:
    """The group of this process, None if it computes by itself."""
    return _group


def index() -> int:
    """The number of this process in its group; 0 if it computes by itself."""
    return 0 if _group is None else _group.index


def count() -> int:
    """The number of processes in the group of this one; 1 if it computes by itself."""
    return 1 if _group is None else _group.count


@contextmanager
def busy(what: str) -> Generator[None]:
    """In the `with` this process does something of its own that may take long."""
    if _group is None:
        yield
        return
    with _group.busy(what):
        yield


def first(what: str, value: Any) -> Any:
    """The value, of what JSON has, that process 0 gives; all processes call it."""
    return value if _group is None else _group.agree(what, value)[0]


def some(what: str, value: bool) -> bool:
    """Whether it is so in one of the processes at least; all call it."""
    return value if _group is None else any(_group.agree(what, value))


def begin(label: str) -> None:
    """Something that all processes do begins. Raises ProcessError if one can't."""
    if _group is not None:
        _group.begin(label)


def alike(what: str, value: Any, otherwise: str) -> None:
    """Raise ProcessError unless the value is the same in all processes, which all call it;
    `otherwise` says what they do if it isn't."""
    values = [value] if _group is None else _group.agree(what, value)
    for number, one in enumerate(values):
        if one != values[0]:
            raise ProcessError(
                f"process 0 and process {number} {otherwise}.",
                hint="Run the same program, with the same settings and data, in all of them.",
            )


def first_alone(what: str, action: Callable[[], T]) -> T:
    """action() in process 0, then in the others: it may make what they find."""
    if _group is None:
        return action()
    result: Any = None
    for turn in (True, False):
        if turn == (_group.index == 0):
            with _group.busy(what):
                result = action()
        _group.agree(f"{what}, {'first' if turn else 'others'}")
    return result


def fail(error: BaseException | str, status: int = STATUS) -> None:
    """This process ends because of an error, with this status."""
    if _group is not None:
        _group.fail(error, status)


def join(group: Group) -> None:
    """Make this the process's group, until the process ends."""
    global _group
    _group = group
    before = sys.excepthook

    def failed(kind: Any, error: BaseException, trace: Any) -> None:
        before(kind, error, trace)
        group.fail(error)

    sys.excepthook = failed
    atexit.register(group.leave)
