"""Dataset: labelled images, in a training split and a test split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..dtypes import Array, is_integer
from ..errors import DTypeError, ShapeError
from ..graph.state.lazy import lazy
from ..shapes import text


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Greyscale images and their classes; read-only.

    `images` (n, height, width) are uint8, from 0 (background) to `peak` (foreground); `labels` (n,)
    are int64, from 0. Raises ShapeError or DTypeError for anything else.
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

    @lazy
    def inputs(self) -> Array:
        """images / peak as rows (n, height·width) of numbers in [0, 1], float32, read-only.

        They are computed on first use; `inputs.reshape(-1, 1, height, width)` is a view.
        """
        rows = self.images.reshape(len(self), -1)  # (n, height * width)
        return _read_only(np.divide(rows, np.float32(self.peak), dtype=np.float32))

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        height, width = self.images.shape[1:]
        return f"<Split: {len(self):,} images of {height}×{width}>"


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A named data set: splits `train` and `test`, the names of its `classes`, and its origin.

    `labels` are indices into `classes`. `source` is the citation, `licence` the licence.
    """

    name: str
    train: Split
    test: Split
    classes: tuple[str, ...]
    source: str
    licence: str

    @property
    def num_inputs(self) -> int:
        """The number of inputs per image: height × width."""
        _, height, width = self.train.images.shape
        return height * width

    def __repr__(self) -> str:
        height, width = self.train.images.shape[1:]
        return (
            f"<Dataset {self.name}: {len(self.train):,} training images, {len(self.test):,} test "
            f"images, {height}×{width}, {len(self.classes)} classes>"
        )


def _read_only(array: Array) -> Array:
    view = array.view()
    view.setflags(write=False)
    return view
