"""Processes with different numbers of threads, hash seeds and caches compile the same code and
train to the same bits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[2]


def started(threads: int, cache: Path) -> subprocess.Popen[str]:
    """A process that trains with this number of threads."""
    environment = {
        **os.environ,
        "PALINGRAD_NUM_THREADS": str(threads),
        "PALINGRAD_CACHE": str(cache),
        "PYTHONHASHSEED": str(threads),
    }
    return subprocess.Popen(
        [sys.executable, str(TESTS / "trainings.py")],
        env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def printed(process: subprocess.Popen[str]) -> list[list[str]]:
    """For each training: its name, the hash of all bits, whether its code came from the cache."""
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return [line.split() for line in output.splitlines()]


def code(cache: Path) -> dict[str, bytes]:
    """The cache's entries."""
    return {entry.name: entry.read_bytes() for entry in (cache / "native").iterdir()}


def test_every_process_compiles_the_same_code_and_trains_to_the_same_bits(tmp_path):
    caches = [tmp_path / str(threads) for threads in (1, 3)]
    fresh = [started(int(cache.name), cache) for cache in caches]
    one, other = map(printed, fresh)
    assert [(name, cached) for name, _, cached in one] == [("mlp", "False"), ("cnn", "False")]
    assert other == one
    for threads in (2, 4):
        again = printed(started(threads, caches[1]))
        assert again == [[name, bits, "True"] for name, bits, _ in one]
    alone, team = map(code, caches)
    assert len(alone) == 2  # who works alone needs no helper's code
    assert alone.items() < team.items()
