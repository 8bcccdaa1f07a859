"""The counts of the last full run, kept in `results.json`, and what they are compared with."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mutation.rules import Rule, source
from mutation.survivors import SURVIVORS

PATH = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Counts:
    """Of one rule: a digest of its text, mutants made and caught by kind, checks that caught
    them, and survivors."""

    text: str
    made: dict[str, int]
    caught: dict[str, int]
    checks: dict[str, int]
    survivors: list[str]


def text_of(rule: Rule) -> str:
    """A digest of a rule's text, in any layout."""
    text = ast.get_source_segment(source(rule.module), rule.tree) or ""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:12]


def read() -> dict[str, Counts]:
    """The counts of the last full run, by rule."""
    if not PATH.exists():
        return {}
    return {name: Counts(**one) for name, one in json.loads(PATH.read_text()).items()}


def write(found: Mapping[str, Counts]) -> None:
    """Keep the counts, one rule a line."""
    rows = [f"{json.dumps(name)}: {json.dumps(asdict(one), ensure_ascii=False)}"
            for name, one in found.items()]  # fmt: skip
    PATH.write_text("{\n" + ",\n".join(rows) + "\n}\n")


def equivalent(found: Mapping[str, Counts]) -> int:
    """The number of survivors that compute the same as the rule, by their reasons."""
    return sum(
        SURVIVORS.get(name, {}).get(text, "").startswith("equivalent")
        for name, one in found.items()
        for text in one.survivors
    )


def unexplained(found: Mapping[str, Counts]) -> list[str]:
    """Survivors without a reason, and reasons without a survivor."""
    survived = {f"{name}: {text}" for name, one in found.items() for text in one.survivors}
    told = {f"{name}: {text}" for name, reasons in SURVIVORS.items() if name in found
            for text in reasons}  # fmt: skip
    return sorted(survived - told) + [f"{one} (it is caught)" for one in sorted(told - survived)]
