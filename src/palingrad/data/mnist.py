"""Loads MNIST and Fashion-MNIST: reads and verifies four IDX files, and makes a Dataset."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from ..dtypes import Array
from ..errors import DataError
from ..files.atomic import path_text
from ..shapes import text
from .dataset import Dataset, Split
from .idx import decode, read_bytes, unzipped
from .locate import VARIABLE, locate
from .sources import MNIST, Part, Source


def load_source(source: Source, folder: str | os.PathLike[str] | None = None) -> Dataset:
    """The data set from `folder`, PALINGRAD_DATA or a download. Raises DataError as `read` does."""
    paths = locate(source, folder)
    arrays = [read(path, part, source) for path, part in zip(paths, source.parts, strict=True)]
    return Dataset(
        name=source.name,
        train=Split(arrays[0], arrays[1]),
        test=Split(arrays[2], arrays[3]),
        classes=source.classes,
        source=source.origin,
        licence=source.licence,
    )


def read(path: Path, part: Part, source: Source) -> Array:
    """The uint8 array in one file of a source, gzipped or not.

    Raises DataError, with the path, if the file is corrupt, has the wrong shape, contains a label
    without a class, or doesn't have the expected hash.
    """
    raw = read_bytes(path)
    try:
        content = unzipped(raw)
        array = decode(content)
        if array.dtype != np.uint8 or array.shape != part.shape:
            raise DataError(
                f"expected uint8 {text(part.shape)} for {source.title}, got {array.dtype} "
                f"{text(array.shape)}"
            )
        if array.ndim == 1 and array.size and array.max() >= len(source.classes):
            raise DataError(f"label {array.max()} isn't one of {len(source.classes)} classes")
        _verify(raw, content, part, source)
    except DataError as error:
        raise DataError(
            f"{path_text(path)}: {error.fact}.",
            hint=f"Put the original there, set {VARIABLE} (or --data; in Python folder=...) to "
            "another folder, or unset it to download the data set.",
        ) from error
    return array


def _verify(raw: bytes, content: bytes, part: Part, source: Source) -> None:
    """Raise DataError if the hashes show that this isn't the part.

    If only the MD5 of the original .gz file is known, a file compressed otherwise can't be
    verified; it must at least not be MNIST, whose files have the same names and shapes.
    """
    digest = hashlib.sha256(content).hexdigest()
    if part.sha256:
        if digest != part.sha256:
            raise DataError(
                f"its content isn't {source.title}'s: sha256 {digest}, expected {part.sha256}"
            )
    elif hashlib.md5(raw, usedforsecurity=False).hexdigest() != part.md5:
        if digest in {other.sha256 for other in MNIST.parts}:
            raise DataError(f"it contains MNIST, not {source.title}")
