"""Event files for TensorBoard, encoded by tensorboardX."""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import EngineError, printable
from ...files.atomic import explained
from ..recording.retention import Summary


class Events:
    """Writes scalars and histograms into a new event file in a folder.

    Raises EngineError without tensorboardX, WriteError if the file can't be written. An event file
    grows at its end, so that a killed process leaves the events of all flushes before.
    """

    def __init__(self, folder: str) -> None:
        if importlib.util.find_spec("tensorboardX") is None:
            raise EngineError(
                "event files for TensorBoard need the package tensorboardX.",
                hint="Install palingrad[tensorboard], or leave tensorboard= out.",
            )
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.record_writer import directory_check

        self._folder = folder
        with explained(folder):
            directory_check(folder)
            # The suffix keeps the files of two processes apart that start in the same second.
            unique = f".{os.getpid()}.{os.urandom(4).hex()}"
            # Writes in this thread. In that of a SummaryWriter an error would go unseen, and
            # closing it would wait for ever.
            self._writer: Any = EventsWriter(os.path.join(folder, "events"), unique)

    def scalars(self, numbers: Mapping[str, float], step: int) -> None:
        """Write the named numbers of one step."""
        from tensorboardX.summary import scalar

        for name, number in numbers.items():
            self._write(scalar(_tag(name), number), step)

    def histogram(self, name: str, summary: Summary, step: int) -> None:
        """Write the histogram of an array at one step, from its Summary."""
        from tensorboardX.summary import histogram_raw

        count = sum(summary.counts)
        if not count:
            return
        bins = len(summary.counts)
        width = (summary.high - summary.low) or max(abs(summary.low), 1.0) * 1e-3
        low = summary.low if summary.high > summary.low else summary.low - width / 2
        histogram = histogram_raw(
            _tag(name),
            min=summary.low,
            max=summary.high,
            num=count,
            sum=summary.mean * count,
            sum_squares=summary.norm**2,
            bucket_limits=list(low + width * np.arange(1, bins + 1) / bins),
            bucket_counts=list(summary.counts),
        )
        self._write(histogram, step)

    def flush(self) -> None:
        """Write everything to the disk."""
        with explained(self._folder):
            self._writer.flush()

    def close(self) -> None:
        """Flush and close the file."""
        with explained(self._folder):
            self._writer.close()

    def _write(self, summary: Any, step: int) -> None:
        from tensorboardX.proto import event_pb2

        messages: Any = event_pb2  # its classes are made when it is imported
        event = messages.Event(wall_time=time.time(), step=step, summary=summary)
        with explained(self._folder):
            self._writer.write_event(event)


def _tag(name: str) -> str:
    return printable(name.replace(" ", "_"))
