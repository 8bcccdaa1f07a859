"""Damaged and hostile files of every format are refused by palingrad's own errors, or harmless."""

from __future__ import annotations

import os
from pathlib import Path

from hostile import formats

SHORT = 4
EACH = 20  # files of an attempt


def attempt(seed: int, folder: Path) -> None:
    """Use damaged files of one format."""
    form = formats.FORMATS[seed % len(formats.FORMATS)]
    for number in range(EACH):
        formats.attempt(form, 1_000_000 + seed * EACH + number, folder)
        parts = [name for _, _, names in os.walk(folder) for name in names if ".part" in name]
        assert not parts, f"{form.name}: reading left {parts}"
