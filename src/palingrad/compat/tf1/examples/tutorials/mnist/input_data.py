"""MNIST in shuffled mini-batches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ......data import load
from ......data.dataset import Split

Array = np.ndarray[Any, Any]


class DataSet:
    """Images (n, 784) from 0 to 1, and labels (n,) or one-hot (n, 10)."""

    def __init__(self, images: Array, labels: Array, seed: int | None = None) -> None:
        self.images, self.labels = images, labels
        self.epochs_completed = 0
        self._next = 0
        self._shuffled: tuple[Array, Array] | None = None
        self._permutation: Callable[[int], Array] = (
            np.random.permutation if seed is None else np.random.RandomState(seed).permutation
        )

    @property
    def num_examples(self) -> int:
        """The number of images."""
        return len(self.images)

    def next_batch(
        self, batch_size: int, fake_data: bool = False, shuffle: bool = True
    ) -> tuple[Array, Array]:
        """The next images and labels. Each pass over all of them has an order of its own; a batch
        at its end begins the next one. NumPy's global generator draws the order."""
        if batch_size > self.num_examples:
            raise ValueError(f"a batch of {batch_size} of {self.num_examples} examples.")
        if self._shuffled is None:
            self._order(shuffle)
        assert self._shuffled is not None
        images, labels = (part[self._next : self._next + batch_size] for part in self._shuffled)
        self._next += batch_size
        lacking = batch_size - len(images)
        if lacking:
            self.epochs_completed += 1
            self._order(shuffle)
            images = np.concatenate([images, self._shuffled[0][:lacking]])
            labels = np.concatenate([labels, self._shuffled[1][:lacking]])
            self._next = lacking
        return images, labels

    def _order(self, shuffle: bool) -> None:
        if not shuffle:
            self._shuffled = self.images, self.labels
            return
        order = self._permutation(self.num_examples)
        self._shuffled = self.images[order], self.labels[order]


class Datasets(NamedTuple):
    """The examples to train with, to choose by, and to test with."""

    train: DataSet
    validation: DataSet
    test: DataSet


def read_data_sets(
    train_dir: Any, fake_data: bool = False, one_hot: bool = False, dtype: Any = np.float32,
    reshape: bool = True, validation_size: int = 5000, seed: int | None = None,
    source_url: Any = None,
) -> Datasets:  # fmt: skip
    """MNIST from `train_dir` if its files are there, else as palingrad.data finds it: in the folder
    PALINGRAD_DATA, or downloaded. The first `validation_size` training images are put apart."""
    if fake_data:
        raise NotImplementedError("read_data_sets: fake_data isn't supported.")
    if not 0 <= validation_size <= 60000:
        raise ValueError(f"validation_size is {validation_size}; expected 0 to 60000.")
    there = any(Path(train_dir).glob("*-ubyte*")) or any(Path(train_dir).glob("mnist/*-ubyte*"))
    found = load("mnist", folder=train_dir if there else None)
    images, labels = _arrays(found.train, one_hot, dtype, reshape)
    cut = validation_size
    return Datasets(
        DataSet(images[cut:], labels[cut:], seed),
        DataSet(images[:cut], labels[:cut], seed),
        DataSet(*_arrays(found.test, one_hot, dtype, reshape), seed),
    )


def _arrays(split: Split, one_hot: bool, dtype: Any, reshape: bool) -> tuple[Array, Array]:
    kind = np.dtype(getattr(dtype, "as_numpy_dtype", dtype))
    images = split.inputs.astype(kind) if kind == np.float32 else split.images.reshape(
        len(split), -1
    ).astype(kind)  # fmt: skip
    if not reshape:
        images = images.reshape(*split.images.shape, 1)
    return images, np.eye(10)[split.labels] if one_hot else split.labels.astype(np.uint8)
