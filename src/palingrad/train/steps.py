"""The training steps of an epoch: many in one compiled call, which gathers its own batches."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from ..dtypes import Array, float32
from ..function import function
from ..graph.registry import ops
from ..optim.base import Optimizer
from .checks import check_classes


class Tally:
    """Loss and accuracy over the examples so far."""

    def __init__(self) -> None:
        self._total, self._right, self._seen = 0.0, 0, 0

    def add(self, means: Array, hits: Array, sizes: Array) -> None:
        """Add steps with these mean losses, numbers of correct predictions, and batch sizes."""
        for mean, right, size in zip(means.tolist(), hits.tolist(), sizes.tolist(), strict=True):
            self._total += mean * size
            self._right += right
            self._seen += size

    @property
    def loss(self) -> float:
        """The mean loss per example."""
        return self._total / self._seen

    @property
    def accuracy(self) -> float:
        """The fraction of correct predictions."""
        return self._right / self._seen


_UPDATES = 50  # minimum number of progress updates per epoch, if it has as many steps


class Steps:
    """The compiled training step. It gathers its batch from the training data by row numbers, so
    that many steps can run in one call."""

    def __init__(
        self, model: Any, loss: Any, optimizer: Optimizer, train: tuple[Array, Array],
        batch_size: int, epochs: int, engine: str | None,
    ) -> None:  # fmt: skip
        self._inputs = np.ascontiguousarray(train[0], float32)
        self._labels = np.ascontiguousarray(train[1])
        self.tested: Array | None = None  # labels of the test data, to check
        self.rows = len(self._labels)
        self._size = batch_size
        self._whole = self.rows // batch_size
        self.count = -(-self.rows // batch_size)

        def step(inputs: Any, labels: Any, rows: Any) -> Any:
            x, y = ops.take(inputs, rows, axis=0), ops.take(labels, rows, axis=0)
            scores = model(x, training=True)  # (batch, classes)
            check_classes("fit", "train", self._labels, scores.shape)  # when it is traced
            if self.tested is not None:
                check_classes("fit", "test", self.tested, scores.shape)
            mean = loss(scores, y)
            optimizer.minimize(mean)
            return mean, ops.sum(ops.argmax(scores, axis=-1) == y)

        self._step = function(step, engine=engine, runs=self._whole * epochs)
        self._last = function(step, engine=engine, runs=epochs)

    def run(
        self, order: Array, at_once: int | None, watch: Any
    ) -> Generator[tuple[Array, Array, Array]]:
        """Run an epoch with the rows in this order, at most `at_once` steps per call.

        Yields (mean losses, numbers of correct predictions, batch sizes) of the steps of each call.
        """
        size = self._size
        steps = at_once or max(self.count // _UPDATES, 1)
        whole = order[: self._whole * size].reshape(self._whole, size)
        for first in range(0, self._whole, steps):
            rows = whole[first : first + steps]
            with watch.step():
                if len(rows) == 1:
                    mean, hits = self._step(self._inputs, self._labels, rows[0])
                    mean, hits = mean.reshape(1), hits.reshape(1)
                else:
                    mean, hits = self._step.repeat(self._inputs, self._labels, rows, along=(2,))
            yield mean, hits, np.full(len(rows), size)
        rest = order[self._whole * size :]
        if len(rest):
            with watch.step():
                mean, hits = self._last(self._inputs, self._labels, rest)
            yield mean.reshape(1), hits.reshape(1), np.full(1, len(rest))
