"""Colourings: valid for random patterns, and few where the fewest are known."""

from __future__ import annotations

import numpy as np
import pytest

from palingrad.sparse.colouring import column_colours, star_colours
from palingrad.sparse.sparsity import Sparsity


def sparsity_of(full: np.ndarray) -> Sparsity:
    rows, columns = np.nonzero(full)
    starts = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(full)))))
    return Sparsity(starts, columns, full.shape)


def colours_of(full: np.ndarray) -> np.ndarray:
    found = sparsity_of(full)
    return column_colours(found.indptr, found.indices, full.shape[1])


@pytest.mark.parametrize("seed", range(40))
def test_columns_of_one_colour_share_no_row(seed):
    rng = np.random.default_rng(seed)
    full = rng.random(rng.integers(1, 25, 2)) < rng.uniform(0, 0.5)
    colours = colours_of(full)
    for row in full:
        assert len(set(colours[row])) == row.sum()


@pytest.mark.parametrize("seed", range(40))
def test_a_star_colouring_has_each_entry_alone_in_one_of_its_places(seed):
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 20)
    full = rng.random((size, size)) < rng.uniform(0, 0.5)
    full |= full.T
    found = sparsity_of(full)
    colours = star_colours(found.indptr, found.indices)
    for i, j in np.argwhere(full):
        if i == j:
            assert (colours[full[i]] == colours[i]).sum() == 1
            continue
        assert colours[i] != colours[j]
        alone = [(colours[full[a]] == colours[b]).sum() == 1 for a, b in ((i, j), (j, i))]
        assert any(alone)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_a_band_needs_as_many_colours_as_it_is_wide(width):
    full = np.tri(30, k=width - 1, dtype=bool) & ~np.tri(30, k=-1, dtype=bool)
    assert colours_of(full).max() + 1 == width


def test_an_arrow_needs_two_colours_as_a_star_and_all_as_columns():
    full = np.eye(50, dtype=bool)
    full[0] = full[:, 0] = True
    found = sparsity_of(full)
    assert star_colours(found.indptr, found.indices).max() + 1 == 2
    assert colours_of(full).max() + 1 == 50


def test_no_entries_need_one_colour():
    assert colours_of(np.zeros((3, 4), bool)).max() == 0
    assert colours_of(np.zeros((0, 0), bool)).size == 0
