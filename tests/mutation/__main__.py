"""Makes every derivative rule wrong in every way and counts what the battery catches.

    cd tests && python -m mutation [--changed] [RULE…]

Without arguments all rules are mutated; with --changed only those whose text has changed since;
with names, such as `activation.Gelu.d`, only these. The counts go to `results.json`, from which
`tools/proof.py` makes a part of docs/proof.md. The exit status is 1 if a mutant survives that
`survivors.py` doesn't explain.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from mutation.memory import remember
from mutation.mutants import mutants
from mutation.results import Counts, read, text_of, unexplained, write
from mutation.rules import Rule, rules
from mutation.run import outcome


def counted(rule: Rule) -> Counts:
    """Mutates one rule in every way."""
    made: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    checks: Counter[str] = Counter()
    survivors: list[str] = []
    for mutant in mutants(rule.tree):
        found = outcome(rule, mutant)
        if found == "same":
            continue
        made[mutant.kind] += 1
        caught[mutant.kind] += bool(found)
        if found:
            checks[found] += 1
        else:
            survivors.append(f"{mutant.kind}: {mutant.what}")
    return Counts(text_of(rule), dict(made), dict(caught), dict(checks), survivors)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m mutation", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("names", nargs="*", metavar="RULE", help="only these")
    parser.add_argument("--changed", action="store_true", help="only new and changed rules")
    given = parser.parse_args()
    names: list[str] = given.names
    remember()
    known = read() if given.changed or names else {}
    found: dict[str, Counts] = {}
    for rule in rules():
        old = known.get(rule.key)
        chosen = rule.key in names if names else old is None or old.text != text_of(rule)
        if chosen:
            one = found[rule.key] = counted(rule)
            made, caught = (sum(some.values()) for some in (one.made, one.caught))
            print(f"{rule.key}: {caught} of {made} caught", flush=True)
            for survivor in one.survivors:
                print(f"    {survivor}", flush=True)
            write(known | found)  # so that a run that is stopped can be continued by --changed
        elif old is not None:
            found[rule.key] = old
    write(found)
    made = sum(sum(one.made.values()) for one in found.values())
    caught = sum(sum(one.caught.values()) for one in found.values())
    print(f"{caught} of {made} mutants caught, {caught / max(made, 1):.2%}")
    missing = unexplained(found)
    for line in missing:
        print(f"not explained in survivors.py: {line}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
