"""Damaged and hostile files of every format are refused by palingrad's own errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile.formats import FORMATS, Format, attempt

SEEDS = 60


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_damaged_file_is_refused_or_harmless(form: Format, tmp_path: Path):
    used = sum(attempt(form, seed, tmp_path) for seed in range(SEEDS))
    assert used < SEEDS
