"""The layouts in which the battery feeds arrays: other strides, the same elements, and arrays also
where there are no axes, since machine code reads a fed object as an array's structure."""

from __future__ import annotations

import numpy as np
import pytest

from palingrad.proof.case import backwards, by_columns, stepped


@pytest.mark.parametrize("layout", [by_columns, stepped, backwards])
@pytest.mark.parametrize("shape", [(), (1,), (0, 2), (3, 4), (2, 3, 4)])
def test_a_layout_is_an_array_of_the_same_elements(layout, shape):
    array = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    again = layout(array)
    assert type(again) is np.ndarray
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)
    if array.ndim > 1 and array.size:
        assert not again.flags.c_contiguous
