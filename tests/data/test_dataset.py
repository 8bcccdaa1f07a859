"""A data set's pictures, labels and scaled inputs."""

from __future__ import annotations

import numpy as np
import pytest

from palingrad.data import Dataset, Split
from palingrad.errors import DTypeError, ShapeError

pytestmark = pytest.mark.tiny

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([1, 0], np.uint8)


def test_inputs_are_rows_from_zero_to_one():
    split = Split(IMAGES, LABELS, peak=23)
    assert split.inputs.shape == (2, 12)
    assert split.inputs.dtype == np.float32
    np.testing.assert_array_equal(split.inputs, IMAGES.reshape(2, 12) / np.float32(23))
    assert (split.inputs.min(), split.inputs.max()) == (0, 1)
    assert split.inputs is split.inputs  # made once


def test_labels_become_int64():
    assert Split(IMAGES, LABELS).labels.dtype == np.int64


@pytest.mark.parametrize("name", ["images", "labels", "inputs"])
def test_nothing_can_be_written(name):
    with pytest.raises(ValueError, match="read-only"):
        getattr(Split(IMAGES, LABELS), name)[0] = 0


def test_the_arrays_that_were_given_stay_writable():
    images = IMAGES.copy()
    Split(images, LABELS)
    images[0, 0, 0] = 7


def test_wrong_arrays_are_refused():
    with pytest.raises(ShapeError, match=r"images \(n, height, width\) .*got \(2, 12\) and \(2,\)"):
        Split(IMAGES.reshape(2, 12), LABELS)
    with pytest.raises(ShapeError, match=r"got \(2, 3, 4\) and \(3,\)"):
        Split(IMAGES, np.zeros(3, np.uint8))
    with pytest.raises(DTypeError, match="uint8 images and integer labels, got float64 and uint8"):
        Split(IMAGES / 23, LABELS)
    with pytest.raises(DTypeError, match="got uint8 and float64"):
        Split(IMAGES, LABELS * 1.0)


def test_a_data_set_says_what_it_is():
    split = Split(IMAGES, LABELS)
    data = Dataset("two", split, split, ("a", "b"), "me", "CC0")
    assert data.num_inputs == 12
    assert repr(data) == ("<Dataset two: 2 training images, 2 test images, 3×4, 2 classes>")
    assert repr(split) == "<Split: 2 images of 3×4>"
    assert len(split) == 2
