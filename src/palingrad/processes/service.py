"""The thread of process 0 to which all processes connect: it lets them in, gathers what they agree
on, and tells all of them as soon as one has died or hangs."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .judge import Judge
from .wire import Channel, Closed, Message

_CLOSING = 5.0  # seconds in which all hear the last word
_BEAT = 1.0  # seconds between two signs of life, at most
PROTOCOL = "palingrad 1"


def beat(patience: float) -> float:
    """The seconds between two signs of life."""
    return min(_BEAT, patience / 5)


class Service:
    """Listens on a socket for `count` processes, which must come within `timeout` seconds.

    `welcome` is sent to each when all are there. `alike` is what must be the same for all.
    """

    def __init__(
        self, listening: socket.socket, count: int, *, timeout: float, patience: float,
        welcome: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self._listening, self._count, self._welcome = listening, count, dict(welcome)
        self._deadline, self._pause = time.monotonic() + timeout, beat(patience)
        self._timeout = timeout
        self._judge = Judge(patience)
        self._members: dict[int, Channel] = {}
        self._alike: Message | None = None
        self._complete = False
        self._last: Message | None = None  # the last word: farewell, or a verdict
        self.done = threading.Event()  # all have heard it
        self._values: dict[int, dict[int, Any]] = {}  # of each agreement: by process
        threading.Thread(target=self._serve, name="palingrad service", daemon=True).start()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as watched, self._listening:
            self._watched = watched
            watched.register(self._listening, selectors.EVENT_READ)
            last = time.monotonic()
            while not self._is_done():
                for key, _ in watched.select(max(0.0, last + self._pause - time.monotonic())):
                    if key.fileobj is self._listening:
                        with suppress(OSError):
                            connection, _ = self._listening.accept()
                            watched.register(Channel(connection), selectors.EVENT_READ, [None])
                    else:
                        self._hear(key.fileobj, key.data)
                now = time.monotonic()
                if now - last >= self._pause:
                    last = now
                    self._beat(now)
            for key in [*watched.get_map().values()]:
                if isinstance(key.fileobj, Channel):
                    key.fileobj.close()
        self.done.set()

    def _is_done(self) -> bool:
        """Whether all have heard the last word; those that come too late hear it too."""
        if self._last is None:
            return False
        return time.monotonic() > self._deadline or len(self._watched.get_map()) == 1

    def _hear(self, channel: Any, index: list[int | None]) -> None:
        try:
            for message in channel.receive():
                if self._last is not None:
                    if index[0] is None:
                        channel.send(self._last)
                        index[0] = -1
                elif index[0] is None:
                    index[0] = self._lets_in(channel, message)
                else:
                    self._hears(index[0], message)
        except (Closed, KeyError, TypeError, ValueError, AttributeError):  # or it is no message
            with suppress(KeyError, ValueError):
                self._watched.unregister(channel)
            channel.close()
            one = self._judge.known.get(-1 if index[0] is None else index[0])
            if one is not None and not one.ended:
                self._end(f"{one.name} has died: its connection was closed")

    # ---------------------------------------------------------------- coming

    def _lets_in(self, channel: Channel, hello: Message) -> int:
        """The index of a process that has connected. Raises Closed for anything else."""
        if hello.get("protocol") != PROTOCOL:
            raise Closed("another program")
        index, count, where = int(hello["index"]), int(hello["count"]), str(hello["where"])
        who = f"process {index} ({where})"
        known = self._judge.known.get(index)
        alike: Message = hello["alike"]
        first = self._alike = self._alike or alike
        other = [name for name, x in alike.items() if first.get(name) != x]
        wrong = None
        if count != self._count or not 0 <= index < count:
            wrong = f"{who} was told that there are {count}, process 0 that there are {self._count}"
        elif known is not None:
            wrong = f"two processes have index {index}: {known.where} and {where}"
        elif other:
            name = other[0]
            wrong = f"the processes differ: {name} is {alike[name]} for {who}, " \
                f"{first.get(name)} for another"  # fmt: skip
        elif self._complete:
            wrong = f"{who} has come too late"
        if wrong is not None:
            channel.send({"verdict": wrong})
            self._end(wrong)
            return -1
        self._members[index] = channel
        self._judge.joins(index, where, time.monotonic())
        if len(self._members) == self._count:
            self._complete = True
            self._tell(self._welcome | {"welcome": True})
        return index

    # ---------------------------------------------------------------- being there

    def _hears(self, index: int, message: Message) -> None:
        self._judge.hears(index, message, time.monotonic())
        if "failed" in message:
            one = self._judge.known[index]
            one.ended = True
            self._end(f"{one.name} has failed: {message['failed']}")
        elif "agree" in message:
            self._agree(index, message)
        elif "bye" in message and all(one.ended for one in self._judge.known.values()):
            self._say_last({"farewell": True})

    def _agree(self, index: int, message: Message) -> None:
        number = int(message["agree"])
        values = self._values.setdefault(number, {})
        values[index] = message["value"]
        problem = self._judge.verdict(time.monotonic())
        if problem is not None:
            self._end(problem)
        elif len(values) == self._count:
            del self._values[number]
            self._tell({"agreed": number, "values": [values[k] for k in range(self._count)]})

    def _beat(self, now: float) -> None:
        if self._last is not None:
            return
        self._tell({"beat": True})
        if self._complete:
            problem = self._judge.verdict(now)
            if problem is not None:
                self._end(problem)
        elif now > self._deadline:
            missing = [k for k in range(self._count) if k not in self._members]
            names = ", ".join(map(str, missing[:8])) + (" …" if len(missing) > 8 else "")
            self._end(f"of {self._count} processes these didn't come within {self._timeout:.0f} s: "
                      f"{names}")  # fmt: skip

    def _tell(self, message: Message) -> None:
        for channel in list(self._members.values()):
            with suppress(Closed):  # its own end is noticed when its connection is read
                channel.send(message)

    def _end(self, verdict: str) -> None:
        """Tell all processes what has happened, once."""
        if self._last is None:
            self._say_last({"verdict": verdict})

    def _say_last(self, message: Message) -> None:
        self._last, self._deadline = message, time.monotonic() + _CLOSING
        self._tell(message)
