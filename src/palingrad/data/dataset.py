"""What a data set is: pictures with labels, one part to train on and one to test on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..dtypes import Array, is_integer
from ..errors import DTypeError, ShapeError
from ..shapes import text


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Grey pictures and the class of each; read-only.

    `images` (n, height, width) are uint8, from 0 for the background to `peak` for full ink;
    `labels` (n,) are int64, counted from 0. Raises ShapeError or DTypeError for anything else.
    """

    images: Array
    labels: Array
    peak: int = 255

    def __post_init__(self) -> None:
        images, labels = np.asarray(self.images), np.asarray(self.labels)
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise ShapeError(
                "a split takes images (n, height, width) and labels (n,), got "
                f"{text(images.shape)} and {text(labels.shape)}"
            )
        if images.dtype != np.uint8 or not is_integer(labels.dtype):
            raise DTypeError(
                "a split takes uint8 images and integer labels, got "
                f"{images.dtype} and {labels.dtype}"
            )
        object.__setattr__(self, "images", _read_only(images))
        object.__setattr__(self, "labels", _read_only(labels.astype(np.int64)))

    @cached_property
    def inputs(self) -> Array:
        """The pictures as rows of numbers from 0 to 1: images / peak, float32, read-only.

        Made when first asked for, then kept; `inputs.reshape(-1, 1, height, width)` copies nothing.
        """
        rows = self.images.reshape(len(self), -1)  # (n, height * width)
        return _read_only(np.divide(rows, np.float32(self.peak), dtype=np.float32))

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        height, width = self.images.shape[1:]
        return f"<Split: {len(self):,} pictures of {height}×{width}>"


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A named data set: `train` and `test`, the names of its `classes`, where it is from.

    `labels` count into `classes`. `source` and `licence` say whom to thank and on what terms.
    """

    name: str
    train: Split
    test: Split
    classes: tuple[str, ...]
    source: str
    licence: str

    @property
    def num_inputs(self) -> int:
        """How many numbers one picture makes: height × width."""
        _, height, width = self.train.images.shape
        return height * width

    def __repr__(self) -> str:
        height, width = self.train.images.shape[1:]
        return (
            f"<Dataset {self.name}: {len(self.train):,} pictures to train on, {len(self.test):,} "
            f"to test on, {height}×{width}, {len(self.classes)} classes>"
        )


def _read_only(array: Array) -> Array:
    view = array.view()
    view.setflags(write=False)
    return view
