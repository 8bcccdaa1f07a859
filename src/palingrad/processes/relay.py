"""Carries JAX's coordination between this process and process 0.

JAX's client ends its process at once, with a message that names nobody, when the connection to its
service breaks, and its callback for this can't be used from Python (jaxlib 0.10). So a process
connects to a port of its own, from which a thread passes all bytes on. If process 0 is gone the
relay keeps the client waiting, and the group says what has happened.
"""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress


class Relay:
    """Listens at `port` of this computer, and passes connections on to a host and port."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._carry, name="palingrad relay", daemon=True).start()

    def _carry(self) -> None:
        with selectors.DefaultSelector() as watched:
            watched.register(self._listener, selectors.EVENT_READ)
            while True:
                for key, _ in watched.select():
                    if key.fileobj is self._listener:
                        self._connect(watched)
                    else:
                        self._pass_on(watched, key)

    def _connect(self, watched: selectors.BaseSelector) -> None:
        inner, _ = self._listener.accept()
        try:
            outer = socket.create_connection(self._target, timeout=5)
        except OSError:  # the service isn't there yet: the client tries again
            inner.close()
            return
        for one, other, is_inner in ((inner, outer, True), (outer, inner, False)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.settimeout(20)
            watched.register(one, selectors.EVENT_READ, (other, is_inner))

    def _pass_on(self, watched: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        one: socket.socket = key.fileobj  # pyright: ignore[reportAssignmentType]
        if one.fileno() < 0:  # closed with its other end, of which there was news at the same time
            return
        other, is_inner = key.data
        content = b""
        with suppress(OSError):
            content = one.recv(1 << 16)
        if content:
            with suppress(OSError):  # the service is gone, of which the client isn't told
                other.sendall(content)
            return
        watched.unregister(one)
        one.close()
        if is_inner:
            with suppress(KeyError, ValueError):
                watched.unregister(other)
            other.close()
