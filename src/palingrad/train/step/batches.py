"""The training steps of an epoch: many in one compiled call, which gathers its own batches; or one
for each batch that comes from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dtypes import Array, is_integer
from ...engines.ahead import Lasting
from ...engines.placement import current
from ...errors import ArgumentError
from ...functions import function
from ...graph.leaves import Constant
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...optim.base import Optimizer
from ...scale.blocks import in_blocks
from ..checks import check_classes, check_data
from .coming import Coming
from .problem import Problem, accepts, arrays_in, classifies, mapped, prepared
from .streams import Streams

Means = tuple[Array, Array, Array]  # mean losses, correct predictions, sizes of the steps of a call


@dataclass
class Tally:
    """Loss and accuracy over the examples so far."""

    total: float = 0.0
    right: int = 0
    scored: int = 0  # predictions that were counted as right or wrong
    seen: int = 0

    def add(self, means: Array, hits: Array, sizes: Array, each: int = 1) -> None:
        """Add steps with these mean losses, numbers of correct predictions, and batch sizes, of
        examples with `each` predictions; hits below 0 mean that nothing was counted."""
        for mean, right, size in zip(means.tolist(), hits.tolist(), sizes.tolist(), strict=True):
            self.total += mean * size
            self.seen += size
            if right >= 0:
                self.right += right
                self.scored += size * each

    @property
    def loss(self) -> float:
        """The mean loss per example."""
        return self.total / self.seen if self.seen else float("nan")

    @property
    def accuracy(self) -> float | None:
        """The fraction of correct predictions, if they are counted."""
        return self.right / self.scored if self.scored else None


_UPDATES = 50  # minimum number of progress updates per epoch, if it has as many steps


class Step:
    """The step on one batch: its loss, the update, and how many predictions were correct."""

    def __init__(
        self, problem: Problem, optimizer: Optimizer, streams: Streams, accumulate: int
    ) -> None:
        self._problem, self._optimizer, self._streams = problem, optimizer, streams
        self._accumulate = accumulate
        self.check: Callable[[Any, Any], None] = lambda outputs, targets: None
        self.each = 1  # predictions of an example

    def __call__(self, inputs: Any, targets: Any) -> tuple[Any, Any]:
        """(mean loss, number of correct predictions, or −1), after the update."""
        placement = current()
        if placement is not None and placement.blocks is not None and self._accumulate == 1:
            mean, hits = in_blocks(self._optimizer, self._measured, (inputs, targets), None)
            return mean, ops.sum(hits)
        mean, hits = self._measured(inputs, targets)
        self._update(mean, arrays_in(targets)[0].shape[0])
        return mean, hits

    def _measured(self, inputs: Any, targets: Any) -> tuple[Any, Any]:
        """(mean loss, number of correct predictions, or −1) of a batch or a block of one."""
        with self._streams.restarted():
            outputs = self._problem.outputs(inputs, training=True)
        self.check(outputs, targets)
        mean = self._problem.mean(outputs, targets)
        if not classifies(outputs, targets):
            return mean, Constant(np.int64(-1))
        self.each = int(np.prod(targets.shape[1:]))
        return mean, ops.sum(ops.argmax(outputs, axis=-1) == targets)

    @property
    def takes_classes(self) -> bool:
        """Whether the loss is that of class numbers."""
        return self._problem.loss is ops.cross_entropy

    def of_classes(self, outputs: Any, targets: Any) -> bool:
        """Whether the targets are to be class numbers of the outputs."""
        integers = (
            is_integer(as_node(targets).dtype) if not isinstance(targets, (dict, tuple)) else False
        )
        return classifies(outputs, targets) or (integers and self.takes_classes)

    def _update(self, mean: Any, size: int) -> None:
        if self._accumulate == 1:
            self._optimizer.minimize(mean)
        else:  # weighted by its size, so that the mean is that over all examples
            self._optimizer.accumulate(mean, weight=float(size))


class Steps:
    """The compiled training step on arrays. It gathers its batch from the training data by row
    numbers, so that many steps can run in one call."""

    def __init__(
        self, step: Step, optimizer: Optimizer, train: tuple[Any, Any], batch_size: int,
        epochs: int, engine: str | None, accumulate: int,
    ) -> None:  # fmt: skip
        self._inputs, self._targets = map(prepared, train)
        self._leaves = [*arrays_in(self._inputs), *arrays_in(self._targets)]
        self.rows = len(self._leaves[0])
        self._size, self._step, self._accumulate = batch_size, step, accumulate
        self.tested: Any = None  # labels of the test data, to check
        self._whole = self.rows // batch_size
        self.count = -(-self.rows // batch_size)
        step.check = self._check

        def fed(*arrays: Any) -> Any:
            parts = iter(arrays)
            x = mapped(lambda _: next(parts), self._inputs)
            return step(x, mapped(lambda _: next(parts), self._targets))

        def taken(rows: Any, *arrays: Any) -> Any:
            return fed(*[ops.take(array, rows, axis=0) for array in arrays])

        # On a mesh each device is sent its examples, not all of the data.
        self._gathers = current() is not None
        self._along = range(len(self._leaves)) if self._gathers else (0,)
        run = fed if self._gathers else taken
        self._many = function(run, engine=engine, runs=self._whole * epochs)
        self._last = function(run, engine=engine, runs=epochs)
        self._apply = function(lambda: optimizer.apply(), engine=engine)

    def _check(self, outputs: Any, targets: Any) -> None:
        """When it is traced, before the first update: labels that are no classes."""
        if not self._step.of_classes(outputs, targets):
            return
        check_classes("fit", "train", self._targets, outputs.shape)
        if self.tested is not None:
            check_classes("fit", "test", np.asarray(self.tested), outputs.shape)

    def run(
        self, order: Array, at_once: int | None, watch: Any, first: int = 0, epoch: int = 1
    ) -> Generator[Means]:
        """Run an epoch with the rows in this order, from its step `first` on, with at most
        `at_once` steps in a call. Yields what the steps of each call give."""
        size, rest = self._size, order[self._whole * self._size :]
        steps = at_once or max(self.count // _UPDATES, 1)
        steps = 1 if self._accumulate > 1 else steps
        whole = order[: self._whole * size].reshape(self._whole, size)
        # Those of this epoch: callbacks between epochs may change them.
        data = Lasting([] if self._gathers else self._leaves)
        for start in range(first, self._whole, steps):
            rows = whole[start : start + steps]
            with watch.step(), data.during():
                if len(rows) == 1:
                    mean, hits = self._many(*self._given(rows[0]))
                    mean, hits = mean.reshape(1), hits.reshape(1)
                else:
                    mean, hits = self._many.repeat(*self._given(rows), along=self._along)
                self._applied(start + len(rows))
            yield mean, hits, np.full(len(rows), size)
        if len(rest) and first <= self._whole:
            with watch.step(), data.during():
                mean, hits = self._last(*self._given(rest))
                self._applied(self.count)
            yield mean.reshape(1), hits.reshape(1), np.full(1, len(rest))

    def _given(self, rows: Array) -> list[Array]:
        """What a step, or several, with these rows is fed."""
        return [one[rows] for one in self._leaves] if self._gathers else [rows, *self._leaves]

    def _applied(self, done: int) -> None:
        """Take the step along what was accumulated, after every few batches and at the end."""
        if self._accumulate > 1 and (done % self._accumulate == 0 or done == self.count):
            self._apply()


class StreamSteps:
    """The compiled training step on batches that an iterable gives, anew in each epoch."""

    def __init__(
        self, step: Step, optimizer: Optimizer, train: Any, engine: str | None, accumulate: int
    ) -> None:
        self._train, self._accumulate = train, accumulate
        self.rows = 0
        self.tested: Any = None
        self.count = len(train) if hasattr(type(train), "__len__") else 0  # 0: not known
        self._seen: Any = None
        self._labels: Any = None  # of the batch at hand
        self._batch = ""  # its name
        self._scores: Any = None  # the shape of the outputs, if targets are classes of them
        self._step, step.check = step, self._check
        self._run = function(step, engine=engine)
        self._apply = function(lambda: optimizer.apply(), engine=engine)

    def run(
        self, order: Array, at_once: int | None, watch: Any, first: int = 0, epoch: int = 1
    ) -> Generator[Means]:
        """Run an epoch from its batch `first` on; the batches before are read and left out."""
        done = 0
        coming = Coming(self._batches(epoch), first, self._prepared)
        for number, (inputs, targets) in enumerate(coming, first):
            self._batch, self._labels = f"batch {number}", targets
            if self._scores is not None:
                check_classes("fit", self._batch, targets, self._scores)
            with watch.step(), coming.ahead.during():
                mean, hits = self._run(inputs, targets)
                done = number + 1
                if self._accumulate > 1 and done % self._accumulate == 0:
                    self._apply()
            yield mean.reshape(1), hits.reshape(1), np.full(1, len(arrays_in(targets)[0]))
        if self._accumulate > 1 and done % self._accumulate:
            self._apply()
        if not done and not first:
            raise ArgumentError("fit: the iterable gave no batches.", hint="Pass a function that "
                                "returns a new iterator: fit(model, lambda: batches(…)).",
                                )  # fmt: skip

    def _prepared(self, number: int, batch: Any) -> tuple[Any, Any]:
        """A batch that was read, checked, as arrays."""
        if not isinstance(batch, (tuple, list)) or len(batch) != 2:
            raise ArgumentError(
                f"fit: batch {number} is a {type(batch).__name__}; expected inputs and targets.",
                hint="Yield a tuple of both: (x, y).",
            )
        classes = self._step.takes_classes
        check_data("fit", f"batch {number}", batch, least=1, classes=classes)
        inputs, targets = map(prepared, batch)
        return inputs, targets

    def _check(self, outputs: Any, targets: Any) -> None:
        """When a batch is traced, before its update: labels that are no classes."""
        if self._step.of_classes(outputs, targets):
            check_classes("fit", self._batch, self._labels, outputs.shape)
            self._scores = outputs.shape

    def _batches(self, epoch: int) -> Iterator[Any]:
        source: Any = self._train
        if callable(source):
            source = source(epoch) if accepts(source, epoch) else source()
        if iter(source) is source and self._seen is source:
            raise ArgumentError(
                "fit: the iterator is used up after the first epoch.",
                hint="Pass a function that returns a new one: fit(model, lambda: batches(…)).",
            )
        self._seen = source
        return iter(source)
