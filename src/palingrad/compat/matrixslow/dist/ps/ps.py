"""The parameter server: averages the gradients of its workers, in synchronous mode."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from .....errors import ArgumentError
from ...core import Node
from .. import messages
from ..messages import Message, WorkerError

__all__ = ["ParameterServiceClient", "ParameterServiceServer"]

_LEFT = "it ended with an error, or had fewer mini-batches than the others"


class ParameterServiceServer:
    """A process that averages gradients: Σ gradients / Σ samples over all workers, each round.

    cluster_conf: {"ps": ["localhost:5000"], "workers": [one address for each worker]}.
    """

    def __init__(self, cluster_conf: Any, sync: bool = True, max_workers: int = 10) -> None:
        if not sync:
            raise ArgumentError(
                "ParameterServiceServer: sync=False isn't part of palingrad",
                hint="sync=True: each round waits for the gradients of all workers.",
            )
        self.host = messages.hosts(cluster_conf, "ps")[0]
        self.worker_num = len(messages.hosts(cluster_conf, "workers"))
        self.sync, self.max_workers = sync, max_workers
        self._workers: dict[int, socket.socket] = {}
        self._round: dict[int, Message] = {}

    def serve(self) -> None:
        """Serves until all workers have ended. Raises WorkerError if one left the others."""
        with messages.listen(self.host) as listening:
            print(
                f"[PS] Parameter server (mode: Sync) running on {self.host} and worker num "
                f"{self.worker_num}"
            )
            try:
                self._join(listening)
                self._answer()
            except WorkerError as error:
                for connection in self._workers.values():
                    with contextlib.suppress(OSError):
                        messages.send(connection, Message("left", text=str(error)))
                raise
            finally:
                for connection in self._workers.values():
                    messages.close(connection)
                self._workers.clear()

    def _join(self, listening: socket.socket) -> None:
        """Waits for all workers, at most START_SECONDS after the first."""
        end: float | None = None
        waiting: list[socket.socket] = []  # those that didn't say which worker they are
        while len(self._workers) + len(waiting) < self.worker_num:
            listening.settimeout(None if end is None else max(end - time.monotonic(), 0.01))
            try:
                connection, _ = listening.accept()
                connection.settimeout(5)
                index = messages.receive(connection).worker
                connection.settimeout(None)
            except TimeoutError:
                if end is None or time.monotonic() < end:
                    continue
                raise WorkerError(
                    f"{len(self._workers) + len(waiting)} of {self.worker_num} workers came within "
                    f"{messages.START_SECONDS:g} s after the first"
                ) from None
            except OSError:
                continue  # not a worker
            end = time.monotonic() + messages.START_SECONDS if end is None else end
            if index < 0:
                waiting.append(connection)
            elif index >= self.worker_num or index in self._workers:
                waiting.append(connection)
                self._workers.update(enumerate(waiting, start=self.worker_num))
                raise WorkerError(
                    f"worker_index={index} came twice or isn't below {self.worker_num}, the number "
                    "of workers"
                )
            else:
                self._workers[index] = connection
        free = [i for i in range(self.worker_num) if i not in self._workers]
        self._workers.update(zip(free, waiting, strict=True))

    def _answer(self) -> None:
        """Rounds of one message of each worker, until all have ended."""
        gone: set[int] = set()
        with selectors.DefaultSelector() as selector:
            for index, connection in self._workers.items():
                selector.register(connection, selectors.EVENT_READ, index)
            while len(gone) < self.worker_num:
                for key, _ in selector.select():
                    index = key.data
                    try:
                        message = messages.receive(self._workers[index])
                    except OSError:
                        selector.unregister(self._workers[index])
                        gone.add(index)
                    else:
                        self._round[index] = message
                if gone and self._round:
                    raise WorkerError(f"worker {min(gone)} has left: {_LEFT}")
                if len(self._round) == self.worker_num:
                    self._finish(gone)

    def _finish(self, gone: set[int]) -> None:
        """Answers the round."""
        parts = [self._round[index] for index in range(self.worker_num)]
        self._round.clear()
        for index, part in enumerate(parts):
            if part.kind != parts[0].kind or _shapes(part) != _shapes(parts[0]):
                raise WorkerError(
                    f"workers 0 and {index} don't train the same Variables: {parts[0].kind} of "
                    f"{_shapes(parts[0])} and {part.kind} of {_shapes(part)}"
                )
        if parts[0].kind == "init":
            answer = parts[0]
        else:
            samples = sum(part.samples for part in parts)
            if samples == 0:
                raise WorkerError("no worker ran a sample")
            mean = {
                name: np.sum([part.arrays[name] for part in parts], axis=0) / samples
                for name in parts[0].arrays
            }
            answer = Message("mean", mean)
        for connection in self._workers.values():
            with contextlib.suppress(OSError):  # seen when its next message is awaited
                messages.send(connection, answer)


def _shapes(message: Message) -> dict[str, Any]:
    return {name: array.shape for name, array in message.arrays.items()}


class ParameterServiceClient:
    """A worker's connection to the parameter server."""

    def __init__(self, ps_host: str, worker_index: int = -1) -> None:
        self.ps_host = ps_host
        self._connection = messages.connect(ps_host, "the parameter server")
        self._send(Message("join", worker=worker_index))
        print(f"[PS] Connected to parameter service: {ps_host}")

    def variable_weights_init(self, var_weights_dict: Mapping[Any, Any]) -> dict[str, Any]:
        """Waits for all workers; returns the values of worker 0."""
        self._send(Message("init", _named(var_weights_dict)))
        return self._receive().arrays

    def push_gradients(self, acc_gradients: Mapping[Any, Any], acc_no: int) -> None:
        """Sends sums of gradients over acc_no samples."""
        self._send(Message("push", _named(acc_gradients), samples=acc_no))

    def pull_gradients(self, nodes_name: Any = None) -> dict[str, Any]:
        """Waits for the gradients of all workers; returns their mean over the samples."""
        found = self._receive().arrays
        return found if nodes_name is None else {name: found[name] for name in nodes_name}

    def close(self) -> None:
        """Leaves the training."""
        messages.close(self._connection)

    def _send(self, message: Message) -> None:
        with contextlib.suppress(OSError):  # the answer says why, if there is one
            messages.send(self._connection, message)

    def _receive(self) -> Message:
        try:
            message = messages.receive(self._connection)
        except OSError as error:
            self.close()
            raise WorkerError(f"the parameter server at {self.ps_host} has ended") from error
        if message.kind == "left":
            self.close()
            raise WorkerError(f"the training ended: {message.text}")
        return message


def _named(arrays: Mapping[Any, Any]) -> dict[str, Any]:
    """Arrays by the names of their nodes."""
    found = {(key.name if isinstance(key, Node) else key): one for key, one in arrays.items()}
    if len(found) < len(arrays):
        names = [key.name if isinstance(key, Node) else key for key in arrays]
        twice = next(name for name in names if names.count(name) > 1)
        raise ArgumentError(f"two Variables are named {twice!r}", hint="Name them apart.")
    return found
