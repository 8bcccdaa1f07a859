"""Trainer and SimpleTrainer: the loop over epochs, mini-batches and samples."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ....errors import ArgumentError
from ....messages.calls import user_level
from ....messages.checks import did_you_mean
from ..core import Node, Variable
from ..optimizer import Optimizer

__all__ = ["SimpleTrainer", "Trainer"]


class Trainer:
    """Trains a graph. input_x: the Variables of the inputs, input_y: the labels'.

    Data are dicts from inputs' names to arrays of samples, and an array of labels. Samples are set
    as columns: an array of one axis as a column, one of two axes transposed.
    """

    def __init__(
        self,
        input_x: Sequence[Variable],
        input_y: Variable,
        loss_op: Node,
        optimizer: Optimizer,
        epoches: int,
        batch_size: int = 8,
        eval_on_train: bool = False,
        metrics_ops: Sequence[Any] | None = None,
        *args: Any,
        **kargs: Any,
    ) -> None:
        self.inputs, self.input_y = input_x, input_y
        self.loss_op, self.optimizer = loss_op, optimizer
        self.epoches, self.epoch = epoches, 0
        self.batch_size = batch_size
        self.eval_on_train = eval_on_train
        self.metrics_ops = metrics_ops
        self.print_iteration_interval = kargs.pop("print_iteration_interval", 100)
        for name in kargs:
            known = ("batch_size", "eval_on_train", "metrics_ops", "print_iteration_interval")
            warnings.warn(
                f"{type(self).__name__} doesn't use {name}. {did_you_mean(name, known)}",
                stacklevel=user_level(),
            )

    def train_and_eval(
        self, train_x: Mapping[str, Any], train_y: Any, test_x: Any = None, test_y: Any = None
    ) -> None:
        """Trains; after each epoch evaluates, if `eval_on_train` and test data are given."""
        self._check(train_x)
        if test_x is not None and test_y is not None:
            self._check(test_x)
        self._variable_weights_init()
        print("[INIT] Variable weights init finished")
        self.main_loop(train_x, train_y, test_x, test_y)

    def _check(self, data: Mapping[str, Any]) -> None:
        names = [node.name for node in self.inputs]
        if sorted(data) != sorted(names):
            raise ArgumentError(f"the inputs are {names}, the data have {list(data)}")

    def main_loop(self, train_x: Any, train_y: Any, test_x: Any, test_y: Any) -> None:
        """All epochs."""
        for epoch in range(self.epoches):
            self.epoch = epoch
            self.train(train_x, train_y)
            if self.eval_on_train and test_x is not None and test_y is not None:
                self.eval(test_x, test_y)

    def train(self, train_x: Mapping[str, Any], train_y: Any) -> None:
        """One epoch."""
        count = len(next(iter(train_x.values())))
        print(
            f"- Epoch [{self.epoch + 1}] train start, batch size: {self.batch_size}, "
            f"train data size: {count}"
        )
        start = last = time.time()
        for i in range(count):
            self.one_step(self._get_input_values(train_x, i), train_y[i])
            if (i + 1) % self.print_iteration_interval == 0:
                now = time.time()
                print(
                    f"-- iteration [{i}] finished, time cost: {now - last:.2f}  and loss value: "
                    f"{self.loss_op.value[0, 0]:4f}"
                )
                last = now
            if (i + 1) % self.batch_size == 0:
                self._optimizer_update()
        print(f"- Epoch [{self.epoch + 1}] train finished, time cost: {time.time() - start:.2f}")

    def eval(self, test_x: Mapping[str, Any], test_y: Any) -> None:
        """Prints the metrics of these samples."""
        metrics = self.metrics_ops or ()
        for metric in metrics:
            metric.reset()
        for i in range(len(next(iter(test_x.values())))):
            self.one_step(self._get_input_values(test_x, i), test_y[i], is_eval=True)
            for metric in metrics:
                metric.forward()
        found = "".join(metric.value_str() for metric in metrics)
        print(f"Epoch [{self.epoch + 1}] evaluation metrics {found}")

    def _get_input_values(self, x: Mapping[str, Any], index: int) -> dict[str, Any]:
        return {name: samples[index] for name, samples in x.items()}

    def one_step(self, data_x: Mapping[str, Any], data_y: Any, is_eval: bool = False) -> None:
        """Sets one sample and, unless is_eval, adds its gradient."""
        for node in self.inputs:
            if node.name not in data_x:
                raise ArgumentError(f"the data have no {node.name!r}, only {list(data_x)}")
            node.set_value(_column(data_x[node.name]))
        self.input_y.set_value(_column(data_y))
        if not is_eval:
            self.optimizer.one_step()

    def _variable_weights_init(self) -> None:
        """Sets the Variables before training."""
        raise NotImplementedError(f"{type(self).__name__} needs _variable_weights_init")

    def _optimizer_update(self) -> None:
        """Updates the Variables after a mini-batch."""
        raise NotImplementedError(f"{type(self).__name__} needs _optimizer_update")


def _column(value: Any) -> Any:
    return np.atleast_2d(np.asarray(value, np.float64)).T


class SimpleTrainer(Trainer):
    """A trainer in one process; Variables keep the values that they have."""

    def _variable_weights_init(self) -> None:
        pass

    def _optimizer_update(self) -> None:
        self.optimizer.update()
