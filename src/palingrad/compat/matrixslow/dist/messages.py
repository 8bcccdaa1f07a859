"""Messages between local processes: arrays by name over TCP, in float64.

A message is the bytes `PGMS`, the length of its header as four bytes, the header in JSON (its kind,
a number of samples, a worker's index, and the names and shapes of the arrays), and the arrays'
elements. Nothing that is received is executed.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ....errors import ArgumentError, PalingradError
from ....messages.checks import shown

_MAGIC = b"PGMS"
_LONGEST_HEADER = 1 << 24  # bytes

#: Seconds that processes wait for each other at the start.
START_SECONDS = 60.0


class WorkerError(PalingradError, ConnectionError):
    """Another process of a training left it, or couldn't be reached."""


@dataclass
class Message:
    """What one process tells another."""

    kind: str
    arrays: dict[str, Any] = field(default_factory=dict[str, Any])
    samples: int = 0
    worker: int = -1
    text: str = ""


def send(connection: socket.socket, message: Message) -> None:
    """Sends it whole. Raises OSError if the other process has left."""
    arrays = {name: np.asarray(one, "<f8") for name, one in message.arrays.items()}
    header = json.dumps(
        {
            "kind": message.kind,
            "samples": int(message.samples),
            "worker": message.worker,
            "text": message.text,
            "arrays": [[name, one.shape] for name, one in arrays.items()],
        }
    ).encode()
    connection.sendall(
        b"".join(
            [_MAGIC, struct.pack(">I", len(header)), header]
            + [one.tobytes() for one in arrays.values()]
        )
    )


def receive(connection: socket.socket) -> Message:
    """The next message. Raises OSError if the other process has left, or isn't of this training."""
    magic, length = struct.unpack(">4sI", _exactly(connection, 8))
    if magic != _MAGIC or length > _LONGEST_HEADER:
        raise OSError("what came isn't a message of a training")
    try:
        header = json.loads(_exactly(connection, length))
        arrays: dict[str, Any] = {}
        for name, shape in header.pop("arrays"):
            elements = np.frombuffer(_exactly(connection, 8 * math.prod(shape)), "<f8")
            arrays[name] = elements.astype(np.float64).reshape(shape)
        return Message(arrays=arrays, **header)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise OSError(f"what came isn't a message of a training: {error}") from error


def _exactly(connection: socket.socket, count: int) -> bytearray:
    data = bytearray(count)
    view = memoryview(data)
    while view:
        read = connection.recv_into(view)
        if not read:
            raise ConnectionResetError("the other process has closed the connection")
        view = view[read:]
    return data


def address(host: Any) -> tuple[str, int]:
    """("localhost", 5000) of "localhost:5000"."""
    name, _, port = host.rpartition(":") if isinstance(host, str) else ("", "", "")
    if not name or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ArgumentError(f"an address is 'localhost:5000', got {shown(host)}")
    return name, int(port)


def hosts(cluster_conf: Any, role: str) -> list[str]:
    """The addresses of a role, "ps" or "workers", of MatrixSlow's `cluster_conf`."""
    found = cluster_conf.get(role) if isinstance(cluster_conf, Mapping) else None
    if not isinstance(found, (list, tuple)) or not found:
        raise ArgumentError(
            f"cluster_conf has no list of {role!r}, got {shown(cluster_conf)}",
            hint='{"ps": ["localhost:5000"], "workers": ["localhost:6000", "localhost:6002"]}',
        )
    for one in found:
        address(one)
    return list(found)


def listen(host: str) -> socket.socket:
    """A socket that accepts connections at that address."""
    try:
        return socket.create_server(address(host))
    except OSError as error:
        raise WorkerError(
            f"can't listen at {host}: {error}", hint="Does another process use this port?"
        ) from error


def connect(host: str, who: str, seconds: float | None = None) -> socket.socket:
    """A connection to `who`, which may start up to `seconds` later."""
    seconds = START_SECONDS if seconds is None else seconds
    end = time.monotonic() + seconds
    while True:
        try:
            connection = socket.create_connection(address(host), timeout=5)
        except OSError as error:
            if time.monotonic() > end:
                raise WorkerError(
                    f"{who} didn't answer at {host} within {seconds:g} s: {error}",
                    hint="Start all processes of cluster_conf.",
                ) from error
            time.sleep(0.05)
        else:
            connection.settimeout(None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return connection


def close(connection: socket.socket | None) -> None:
    """Closes it, also while another thread sends."""
    if connection is not None:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other process has closed it
        connection.close()
