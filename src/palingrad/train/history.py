"""What a training returns: its epochs, and why it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..messages.names import with_names_from


@dataclass(frozen=True)
class Epoch:
    """The results of one pass over the training data: losses (in nats for cross-entropy),
    accuracies in [0, 1], time.

    `loss` and `accuracy` are means over the epoch's examples, each measured before its step. What
    doesn't apply is None; `metrics` are those of the test data, by name.
    """

    number: int
    loss: float
    accuracy: float | None
    test_loss: float | None
    test_accuracy: float | None
    seconds: float
    metrics: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_json(self) -> dict[str, Any]:
        """The epoch for JSON, with arrays of metrics as lists."""
        metrics = {name: np.asarray(value).tolist() for name, value in self.metrics.items()}
        return {**asdict(self), "metrics": metrics}


@with_names_from(
    {
        "losses": "[epoch.loss for epoch in history.epochs]",
        "loss": "history.epochs[-1].loss",
        "accuracy": "history.epochs[-1].accuracy",
        "history": "history.epochs",
    }
)
@dataclass
class History:
    """All epochs; whether Ctrl-C, or want of improvement, stopped the training; the number of the
    best epoch, if the training looked for one."""

    epochs: list[Epoch] = field(default_factory=list[Epoch])
    interrupted: bool = False
    stopped_early: bool = False
    best_epoch: int | None = None
