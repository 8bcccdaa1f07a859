"""Event files for TensorBoard, written with tensorboardX."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import EngineError
from ..recording.retention import Summary


class Events:
    """Writes scalars and histograms into a folder. Raises EngineError without tensorboardX."""

    def __init__(self, folder: str) -> None:
        if importlib.util.find_spec("tensorboardX") is None:
            raise EngineError(
                "event files for TensorBoard need the package tensorboardX.",
                hint="Install palingrad[tensorboard], or leave tensorboard= out.",
            )
        from tensorboardX import SummaryWriter

        self._writer: Any = SummaryWriter(folder)

    def scalars(self, numbers: Mapping[str, float], step: int) -> None:
        """Write the named numbers of one step."""
        for name, number in numbers.items():
            self._writer.add_scalar(name.replace(" ", "_"), number, step)

    def histogram(self, name: str, summary: Summary, step: int) -> None:
        """Write the histogram of an array at one step, from its Summary."""
        count = sum(summary.counts)
        if not count:
            return
        bins = len(summary.counts)
        width = (summary.high - summary.low) or max(abs(summary.low), 1.0) * 1e-3
        low = summary.low if summary.high > summary.low else summary.low - width / 2
        self._writer.add_histogram_raw(
            name.replace(" ", "_"),
            min=summary.low,
            max=summary.high,
            num=count,
            sum=summary.mean * count,
            sum_squares=summary.norm**2,
            bucket_limits=list(low + width * np.arange(1, bins + 1) / bins),
            bucket_counts=list(summary.counts),
            global_step=step,
        )

    def close(self) -> None:
        """Flush and close the files."""
        self._writer.close()
