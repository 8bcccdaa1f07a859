"""Shares the time among the parts, counts attempts and failures, and prints both."""

from __future__ import annotations

import contextlib
import os
import pkgutil
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

import soak.parts
from soak.process import Worker

PACKAGE = soak.parts.__name__
_SHOWN = 3  # failures of each part that are printed in full


def names() -> list[str]:
    """All parts."""
    return sorted(one.name for one in pkgutil.iter_modules(soak.parts.__path__))


@dataclass
class Part:
    """A part's counts, and the worker that makes its attempts."""

    name: str
    module: str
    next_seed: int
    tried: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    worker: Worker | None = None

    def attempt(self, root: Path, environment: dict[str, str]) -> str | None:
        """Make the next attempt; a description of its failure, or None."""
        start, seed = time.monotonic(), self.next_seed
        folder = root / f"{self.name}-{seed}"
        folder.mkdir()
        if self.worker is None:
            self.worker = Worker(self.module, root, environment)
        worker = self.worker
        failure = worker.failed or worker.attempt(seed, folder)
        self.next_seed, self.tried = seed + 1, self.tried + 1
        if failure is not None:
            self.failures.append(failure)
            failure = f"{self.name}, seed {seed}: {failure}{self._again(worker, seed)}"
            self.end()
        _delete(folder)
        self.seconds += time.monotonic() - start
        return failure

    def _again(self, worker: Worker, seed: int) -> str:
        text = f"To repeat: python -m soak --part {self.name} --seed {seed}"
        before = len(worker.seeds) - 1
        if before > 0 and not worker.isolated:
            text += f" (or, as in this process, --seed {worker.seeds[0]} --attempts {before + 1})"
        return text

    def end(self) -> None:
        """Kills the worker."""
        if self.worker is not None:
            self.worker.end()
            self.worker = None


def run(
    modules: Iterable[str],
    *,
    seed: int,
    minutes: float | None = None,
    attempts: int | None = None,
    environment: dict[str, str] | None = None,
) -> list[Part]:
    """Attempts of each part, from `seed` on: for `minutes` in all; else so many of each part; else
    as many as its `SHORT` says. Prints failures as they come, and the time left on a terminal."""
    parts = [Part(module.rpartition(".")[2], module, seed) for module in modules]
    with tempfile.TemporaryDirectory(prefix="soak-") as root:
        space = {"PALINGRAD_CACHE": str(Path(root, "cache")), **(environment or {})}
        try:
            for part in _turns(parts, minutes, attempts):
                failure = part.attempt(Path(root), space)
                if failure is not None and len(part.failures) <= _SHOWN:
                    print(failure, file=sys.stderr, flush=True)
        finally:
            for part in parts:
                part.end()
    return parts


def _turns(parts: Sequence[Part], minutes: float | None, attempts: int | None) -> Iterator[Part]:
    """Whose turn it is: while there is time, the part's that has used least of it."""
    if minutes is None:
        for part in parts:
            yield part
            # A part that can't even start has no worker to ask.
            most = attempts or (part.worker.short if part.worker is not None else 1)
            while part.tried < most:
                yield part
        return
    end = time.monotonic() + 60 * minutes
    while (left := end - time.monotonic()) > 0 or not all(part.tried for part in parts):
        part = min(parts, key=lambda one: (one.tried > 0, one.seconds))
        if sys.stderr.isatty():
            print(f"# {left:5.0f} s left: {part.name:20}", end="\r", file=sys.stderr, flush=True)
        yield part


def show(parts: Sequence[Part]) -> None:
    """Prints the table of counts."""
    table = Table("part", box=None)
    for title in ("tried", "failed", "seconds"):
        table.add_column(title, justify="right")
    for part in parts:
        table.add_row(part.name, *_counts([part]))
    table.add_section()
    table.add_row("all", *_counts(parts), style="bold")
    Console().print(table)


def _counts(parts: Sequence[Part]) -> list[str]:
    failed = sum(len(part.failures) for part in parts)
    seconds = sum(part.seconds for part in parts)
    return [f"{sum(part.tried for part in parts):,}", f"{failed:,}", f"{seconds:,.1f}"]


def _delete(folder: Path) -> None:
    """Deletes a folder, also one in which an attempt made folders read-only."""
    with contextlib.suppress(OSError):
        for place, _, _ in os.walk(folder):
            os.chmod(place, 0o700)
    shutil.rmtree(folder, ignore_errors=True)
