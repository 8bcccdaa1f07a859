"""The data set of handwritten digits that is included in the package: 8×8 pixels."""

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
_TRAIN = 1437  # of 1,797: 80 %


def load_digits() -> Dataset:
    """1,797 digits by 13 writers, 8×8 pixels with 17 grey levels 0 … 16; see DIGITS.md.

    The rows are shuffled with the fixed seed 0; the first 1,437 are for training, the last 360 for
    testing. Each writer's digits occur in both, so the test overestimates the accuracy on unseen
    writers.
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
            f"palingrad/data/{file}, part of the package, is missing or corrupt: {error}",
            hint="Reinstall palingrad: pip install --force-reinstall --no-deps palingrad",
        ) from error
