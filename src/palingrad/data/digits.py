"""The handwritten digits that come with the package: 8×8 pixels, no download."""

from __future__ import annotations

from importlib.resources import files

from ..dtypes import Array
from ..errors import DataError
from .batching import shuffled
from .dataset import Dataset, Split
from .idx import decode, unzipped

SOURCE = (
    "E. Alpaydin & C. Kaynak, Optical Recognition of Handwritten Digits, "
    "UCI Machine Learning Repository, 1998, doi:10.24432/C50P49"
)
LICENCE = "CC BY 4.0"
_TRAIN = 1437  # of 1,797: four in five


def load_digits() -> Dataset:
    """1,797 digits of 13 writers, 8×8 pixels with 17 shades, 0 … 16; DIGITS.md tells more.

    The rows are shuffled once and for all with seed 0; the first 1,437 train, the last 360 test.
    So a writer's digits are in both parts, and the test says less than one by unseen writers would.
    """
    images, labels = (
        _embedded("digits-images-idx3-ubyte.gz"),
        _embedded("digits-labels-idx1-ubyte.gz"),
    )
    order = shuffled(len(labels), seed=0)
    train, test = order[:_TRAIN], order[_TRAIN:]
    return Dataset(
        name="digits",
        train=Split(images[train], labels[train], peak=16),
        test=Split(images[test], labels[test], peak=16),
        classes=tuple("0123456789"),
        source=SOURCE,
        licence=LICENCE,
    )


def _embedded(file: str) -> Array:
    try:
        return decode(unzipped(files("palingrad.data").joinpath(file).read_bytes()))
    except (OSError, DataError) as error:
        raise DataError(
            f"palingrad/data/{file}, part of the package, is missing or broken: {error}",
            hint="Install palingrad again: pip install --force-reinstall --no-deps palingrad",
        ) from error
