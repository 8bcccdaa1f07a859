"""Messages between processes: one JSON object a line, over TCP."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

from ..errors import ArgumentError, ProcessError
from ..files.reading import parse_json

Message = dict[str, Any]
_LONGEST = 1 << 26  # bytes of a message
_SENDING = 5.0  # seconds after which the other side no longer reads


class Closed(Exception):
    """The other side has closed the connection, or what it sends is no message."""


class Channel:
    """A connection over which messages go in both directions."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(_SENDING)
        self._turn = threading.Lock()
        self._buffer = b""

    def fileno(self) -> int:
        """For `select`."""
        return self.socket.fileno()

    def send(self, message: Message) -> None:
        """Send a message. Raises Closed."""
        line = json.dumps(message).encode() + b"\n"
        try:
            with self._turn:
                self.socket.sendall(line)
        except OSError as error:
            raise Closed(str(error)) from error

    def receive(self) -> list[Message]:
        """The messages that have come, at least a part of one. Raises Closed."""
        try:
            content = self.socket.recv(1 << 16)
        except OSError as error:
            raise Closed(str(error)) from error
        if not content:
            raise Closed("the connection was closed")
        *lines, self._buffer = (self._buffer + content).split(b"\n")
        try:
            messages = [parse_json(line) for line in lines]
        except ValueError as error:
            raise Closed(str(error)) from error
        if len(self._buffer) > _LONGEST or not all(isinstance(one, dict) for one in messages):
            raise Closed("what came isn't a message")
        return messages

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()


def parted(address: Any) -> tuple[str, int]:
    """(host, port) of an address "host:port". Raises ArgumentError."""
    host, _, port = address.rpartition(":") if isinstance(address, str) else ("", "", "")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ArgumentError(
            f"scale.initialize: address is {address!r:.60}; expected a host and a port.",
            hint="Write address='10.0.0.1:9999': process 0 listens there.",
        )
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether the host is this computer, as it calls itself."""
    return host in ("localhost", "::1") or host.startswith("127.")


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens on this port: of all interfaces, unless the host is this computer.
    Raises ProcessError."""
    try:
        if is_loopback(host):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return socket.create_server((host, port), family=family, backlog=1024)
        if socket.has_dualstack_ipv6():
            return socket.create_server(("", port), family=socket.AF_INET6, backlog=1024,
                                        dualstack_ipv6=True)  # fmt: skip
        return socket.create_server(("", port), backlog=1024)
    except OSError as error:
        raise ProcessError(
            f"process 0 can't listen at {host}:{port}: {error.strerror or error}.",
            hint="Choose another port, the same for all processes.",
        ) from error


def free_port(host: str) -> int:
    """A port on which nothing listens now."""
    with listener(host if is_loopback(host) else "", 0) as found:
        return found.getsockname()[1]
