"""Soak: `python -m soak --minutes 20` makes attempts of all parts, and prints how many failed.

Run it in `tests/`. `--part NAME --seed N` repeats one attempt; `--attempts 50` makes so many of
each part. An attempt that takes longer than its part's timeout counts as failed; it is killed, and
the stacks of its threads are printed. The exit status is 1 if something failed.
"""

from __future__ import annotations

import argparse
import sys

from soak.run import PACKAGE, names, run, show


def main() -> int:
    """Run what the command line asks for; 1 if something failed."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m soak", description=__doc__, formatter_class=form
    )
    parser.add_argument("--minutes", type=float, help="of all parts together")
    parser.add_argument("--attempts", type=int, help="of each part, instead of minutes")
    parser.add_argument("--part", action="append", choices=names(), help="only this part")
    parser.add_argument("--seed", type=int, help="the only seed, or the first; 0")
    options = parser.parse_args()
    attempts = options.attempts
    if attempts is None and options.minutes is None and options.seed is not None:
        attempts = 1
    modules = [f"{PACKAGE}.{name}" for name in options.part or names()]
    parts = run(modules, seed=options.seed or 0, minutes=options.minutes, attempts=attempts)
    show(parts)
    return int(any(part.failures for part in parts))


if __name__ == "__main__":
    sys.exit(main())
