"""The catalogue of data sets, by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..errors import DataError
from ..messages.checks import did_you_mean
from .dataset import Dataset
from .digits import load_digits
from .mnist import load_source
from .sources import FASHION_MNIST, MNIST

Folder = str | os.PathLike[str] | None


@dataclass(frozen=True)
class Entry:
    """A data set's description, in one line, and the function that loads it from a folder."""

    summary: str
    load: Callable[[Folder], Dataset]
    classes: tuple[str, ...]


_ENTRIES = {
    "digits": Entry(
        "1,797 handwritten digits of 8×8 pixels; included in palingrad (CC BY 4.0)",
        lambda folder: load_digits(),
        tuple("0123456789"),
    ),
    "mnist": Entry(
        "70,000 handwritten digits of 28×28 pixels; 11 MB to download (CC BY-SA 3.0)",
        partial(load_source, MNIST),
        MNIST.classes,
    ),
    "fashion-mnist": Entry(
        "70,000 pieces of clothing of 28×28 pixels; 30 MB to download (MIT)",
        partial(load_source, FASHION_MNIST),
        FASHION_MNIST.classes,
    ),
}


def names() -> tuple[str, ...]:
    """The names that `load` accepts, the smallest data set first."""
    return tuple(_ENTRIES)


def describe(name: str) -> str:
    """A one-line description of a data set. Raises DataError for an unknown name."""
    return _entry(name).summary


def class_names(name: str) -> tuple[str, ...]:
    """The names of a data set's classes, without loading it."""
    return _entry(name).classes


def load(name: str, *, folder: Folder = None) -> Dataset:
    """The data set `name`: digits, mnist or fashion-mnist (fashion_mnist also works).

    Its files are read from `folder`, else from the folder in the environment variable
    PALINGRAD_DATA, else from a cache, into which they are downloaded; digits is included in the
    package. The content is verified. Raises DataError for an unknown name, and for files that are
    missing or corrupt.

    >>> load("digits")
    <Dataset digits: 1,437 training images, 360 test images, 8×8, 10 classes>
    """
    return _entry(name).load(folder)


def _entry(name: str) -> Entry:
    plain = name.strip().lower().replace("_", "-")
    if plain not in _ENTRIES:
        raise DataError(
            f"unknown data set {name!r:.60}; available: {', '.join(_ENTRIES)}.",
            hint=did_you_mean(plain, _ENTRIES, quoted=True),
        )
    return _ENTRIES[plain]
