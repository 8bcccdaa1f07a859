"""Ring all-reduce: n processes, each of which sends to the next one, sum their vectors.

The vector has n chunks. In n − 1 steps each worker passes on the chunk that it has just added to
(scatter-reduce), after which each has one chunk of the sum; in n − 1 more steps these go round
(all-gather). A worker sends 2·(n − 1)/n of the vector, whatever n is. The sum of a chunk is made in
one order, so that all workers have the same bits.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any, NoReturn

import numpy as np

from .....errors import ArgumentError
from .....messages.checks import shown
from .. import messages
from ..messages import Message, WorkerError

__all__ = ["Ring"]


class Ring:
    """One worker's place in the ring: `workers` are the addresses, worker i sends to i + 1."""

    def __init__(self, workers: list[str], worker_index: Any) -> None:
        if not isinstance(worker_index, int) or not 0 <= worker_index < len(workers):
            raise ArgumentError(
                f"worker_index is 0 to {len(workers) - 1}, got {shown(worker_index)}"
            )
        self.workers, self.index, self.size = workers, worker_index, len(workers)
        self._left: socket.socket | None = None
        self._right: socket.socket | None = None
        if self.size > 1:
            self._connect()

    def _connect(self) -> None:
        before, after = (self.index - 1) % self.size, (self.index + 1) % self.size
        with messages.listen(self.workers[self.index]) as listening:
            try:
                self._right = messages.connect(self.workers[after], f"worker {after}")
                messages.send(self._right, Message("join", worker=self.index))
                self._left = self._accept(listening, before)
            except BaseException:
                self.close()
                raise
        print(f"[RING] Worker {self.index} sends to worker {after}, receives from {before}")

    def _accept(self, listening: socket.socket, before: int) -> socket.socket:
        """The connection from the worker before this one."""
        end = time.monotonic() + messages.START_SECONDS
        while time.monotonic() < end:
            listening.settimeout(max(end - time.monotonic(), 0.01))
            try:
                connection, _ = listening.accept()
                connection.settimeout(5)
                found = messages.receive(connection)
            except OSError:
                continue  # not a worker
            if found.worker == before:
                connection.settimeout(None)
                return connection
            messages.close(connection)
        raise WorkerError(
            f"worker {before} didn't come within {messages.START_SECONDS:g} s",
            hint="Start all processes of cluster_conf.",
        )

    def broadcast(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """The arrays of worker 0, at all workers."""
        if self.size == 1:
            return arrays
        if self.index > 0:
            mine, arrays = arrays, self._take("init", "init").arrays
            shapes = [{k: np.shape(v) for k, v in one.items()} for one in (mine, arrays)]
            if shapes[0] != shapes[1]:
                self._fail(f"worker {self.index} has other Variables than worker 0: {shapes}")
        if self.index < self.size - 1:
            with self._sending(Message("init", arrays, worker=self.index)):
                pass
        return arrays

    def sum(self, vector: Any, samples: int) -> tuple[Any, int]:
        """(the sum of all workers' vectors, the sum of their samples)."""
        chunks = np.array_split(np.array(vector, np.float64), self.size)
        total = known = samples
        for turn in range(2 * (self.size - 1)):
            adds = turn < self.size - 1
            at = (self.index - turn) % self.size  # turn n − 1 sends what the turn before completed
            kind = f"{'scatter' if adds else 'gather'} {turn}"
            outgoing = Message(kind, {"chunk": chunks[at]}, known, self.index)
            with self._sending(outgoing):
                found = self._take(kind, "the gradients")
            chunk, at = found.arrays["chunk"], (at - 1) % self.size
            if chunk.shape != chunks[at].shape:
                self._fail(f"worker {self.index} has other Variables than the one before it")
            chunks[at] = chunks[at] + chunk if adds else chunk
            if adds:
                known = found.samples  # of the worker turn + 1 places before
                total += known
        return np.concatenate(chunks), total

    def _take(self, kind: str, what: str) -> Message:
        """The next message of the worker before this one, which is of that kind."""
        before = (self.index - 1) % self.size
        try:
            assert self._left is not None
            message = messages.receive(self._left)
        except OSError:
            self._fail(
                f"worker {before} has left while worker {self.index} waited for {what}: it ended "
                "with an error, or had fewer mini-batches than the others"
            )
        if message.kind == "left":
            self._fail(message.text)
        if message.kind != kind:
            self._fail(f"worker {before} sent {message.kind!r}, not {kind!r}: not in step")
        return message

    @contextlib.contextmanager
    def _sending(self, message: Message) -> Any:
        """Sends it while the block receives, so that all workers can send at once."""
        right, problems = self._right, list[OSError]()
        assert right is not None

        def send() -> None:
            try:
                messages.send(right, message)
            except OSError as error:
                problems.append(error)

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        yield
        thread.join()
        if problems:
            after = (self.index + 1) % self.size
            self._fail(f"worker {after} has left: {problems[0]}")

    def _fail(self, text: str) -> NoReturn:
        """Tells the next worker, leaves the ring and raises WorkerError."""
        right = self._right
        if right is not None:
            right.settimeout(1)
            with contextlib.suppress(OSError):
                messages.send(right, Message("left", text=text, worker=self.index))
        self.close()
        raise WorkerError(f"the training ended: {text}")

    def close(self) -> None:
        """Leaves the ring."""
        messages.close(self._right)
        messages.close(self._left)
