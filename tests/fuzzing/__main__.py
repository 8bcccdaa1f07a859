"""Fuzz: `python -m fuzzing --seed 7` runs one program, `--minutes 10` as many as there is time for.

Run it in `tests/`. What fails is made small and printed as a program; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterator

from fuzzing.check import failing
from fuzzing.compare import STYLES, styles_of
from fuzzing.generate import FORMULAS, drawn
from fuzzing.write import script


def main() -> int:
    """Run what the command line asks for; 1 if something failed."""
    parser = argparse.ArgumentParser(prog="python -m fuzzing", description=__doc__)
    parser.add_argument("--seed", type=int, help="the only seed, or with --minutes the first")
    parser.add_argument("--minutes", type=float, help="go on from seed to seed for so long")
    parser.add_argument("--most", type=int, default=80, help="operations of a program at most")
    parser.add_argument("--formulas", type=float, default=FORMULAS, help="their share in it")
    parser.add_argument("--styles", nargs="*", help=", ".join(STYLES))
    parser.add_argument("--show", action="store_true", help="print each program, failing or not")
    options = parser.parse_args()
    failures = 0
    for number, seed in enumerate(_seeds(options.seed or 0, options.minutes)):
        styles = options.styles or styles_of(seed)
        print(f"# seed {seed}", end="\r", file=sys.stderr, flush=True)  # should it crash
        program = drawn(seed, most=options.most, formulas=options.formulas)
        if options.show:
            print(script(program, styles[0]), flush=True)
        text = failing(program, styles, seed)
        if text is not None:
            failures += 1
            print(text, flush=True)
        if number % 100 == 99:
            print(f"# {number + 1} programs, {failures} failed", file=sys.stderr, flush=True)
    return int(failures > 0)


def _seeds(first: int, minutes: float | None) -> Iterator[int]:
    if minutes is None:
        yield first
        return
    end = time.monotonic() + 60 * minutes
    for seed in itertools.count(first):
        if time.monotonic() > end:
            return
        yield seed


if __name__ == "__main__":
    sys.exit(main())
