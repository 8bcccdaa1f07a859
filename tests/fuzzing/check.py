"""All that a program of a seed must stand, and what fails as a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fuzzing.compare import Failure, examined
from fuzzing.program import Program
from fuzzing.shrink import shrunk
from fuzzing.slopes import checked_slope
from fuzzing.write import report


def failing(program: Program, styles: Sequence[str], seed: int) -> str | None:
    """A program's first failure, shrunk, with Python that shows it; None if it has none."""
    checks: list[Callable[[Program], Failure | None]] = [
        lambda program: examined(program, styles, seed),
        lambda program: checked_slope(program, seed),
    ]
    for check in checks:
        failure = check(program)
        if failure is not None:
            return report(shrunk(failure, check), seed)
    return None
