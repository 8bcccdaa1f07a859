"""Functions, steps and runs are made and dropped by the thousand: memory stays as it is."""

from __future__ import annotations

from pathlib import Path

SHORT = 1


def attempt(seed: int, folder: Path) -> None:
    """Nothing yet."""
