"""Folders of images: one folder for each class, as CIFAR-10 is often laid out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..dtypes import Array
from ..errors import DataError
from ..files.atomic import path_text
from ..graph.state.imports import imported
from .batching import shuffled

_ENDS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm"}


@dataclass(frozen=True, eq=False)
class ImageFolder:
    """Images (n, channels, height, width) in [0, 1], float32, and class numbers, for training and
    for tests."""

    classes: list[str]
    train: tuple[Array, Array]
    test: tuple[Array, Array]

    def __repr__(self) -> str:
        size = " × ".join(map(str, self.shape))
        return (f"<ImageFolder: {len(self.train[1]):,} training and {len(self.test[1]):,} test "
                f"images, {size}, of {', '.join(self.classes)}>")  # fmt: skip

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return self.train[0].shape[1:]


def read_images(
    folder: str | os.PathLike[str], *, size: int | None = None, seed: int = 0
) -> ImageFolder:
    """The images in `folder`/CLASS/…, or in those of its folders `train` and `test`.

    Without a test folder, a fifth of the images, drawn by `seed`, is for tests. `size`: the side to
    which images are scaled; without it they must have one size. Needs Pillow. Raises DataError.
    """
    root = Path(os.path.expanduser(folder))
    if not root.is_dir():
        raise DataError(f"{path_text(root)} isn't a folder.",
                        hint="It has a folder of images for each class.")  # fmt: skip
    split = (root / "train").is_dir() and (root / "test").is_dir()
    classes = _classes(root / "train" if split else root)
    images, labels = _read(root / "train" if split else root, classes, size)
    if split:
        test = _read(root / "test", classes, size)
    else:
        order = shuffled(len(labels), seed)
        cut = max(len(labels) // 5, 1)
        test = images[order[:cut]], labels[order[:cut]]
        images, labels = images[order[cut:]], labels[order[cut:]]
    if not len(labels) or test[0].shape[1:] != images.shape[1:]:
        raise DataError(f"{path_text(root)}: training and test images differ in size, or there are "
                        "too few.", hint="Pass --size 32.")  # fmt: skip
    return ImageFolder(classes, (images, labels), test)


def _classes(root: Path) -> list[str]:
    found = sorted(one.name for one in root.iterdir() if one.is_dir() and one.name[0] != ".")
    if len(found) < 2:
        raise DataError(f"{path_text(root)} has {len(found)} folders of images; expected one for "
                        "each class, two or more.")  # fmt: skip
    return found


def _read(root: Path, classes: list[str], size: int | None) -> tuple[Array, Array]:
    paths = [
        (path, number)
        for number, name in enumerate(classes)
        for path in sorted((root / name).rglob("*"))
        if path.suffix.lower() in _ENDS
    ]
    if not paths:
        raise DataError(f"{path_text(root)} has no images.",
                        hint=f"Their names end with {', '.join(sorted(_ENDS))}.")  # fmt: skip
    images = [opened(path, size) for path, _ in paths]
    channels = max(image.shape[0] for image in images)
    images = [np.repeat(one, channels, axis=0) if len(one) < channels else one for one in images]
    for (path, _), image in zip(paths, images, strict=True):
        if image.shape != images[0].shape:
            raise DataError(
                f"{path_text(path)} is {image.shape[1]} × {image.shape[2]}, "
                f"{path_text(paths[0][0])} {images[0].shape[1]} × {images[0].shape[2]}.",
                hint="Pass --size 32, to which all are scaled.",
            )
    return np.stack(images), np.array([number for _, number in paths], np.int64)


def opened(path: Path, size: int | None = None, *, channels: int | None = None) -> Array:
    """One image as (channels, height, width) in [0, 1], float32: one channel if it is grey."""
    imported("PIL")
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            grey = channels == 1 or (channels is None and image.mode in ("1", "L", "I;16", "I"))
            plain = image.convert("L" if grey else "RGB")
            if size is not None:
                plain = plain.resize((size, size), Image.Resampling.BILINEAR)
            pixels = np.asarray(plain, np.float32) / np.float32(255)
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
        raise DataError(f"{path_text(path)} isn't an image that can be read: {error}.") from None
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
