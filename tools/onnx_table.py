"""Runs all of ONNX's own node tests on `pg.onnx.load` and writes the table of docs/onnx.md.

Run: PYTHONPATH=src python tools/onnx_table.py
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from onnx_judge import collected, verdict  # noqa: E402

BEGIN, END = "<!-- table: tools/onnx_table.py -->", "<!-- end of the table -->"
JUDGED = ("passes", "wrong", "refused")


def operator_of(case) -> str:
    if "_expanded" in case.name:
        return "expanded functions"
    return " ".join(sorted({node.op_type for node in case.model.graph.node}))


def table() -> str:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[str, set[str]] = defaultdict(set)
    for case in collected():
        kind, _ = verdict(case)
        counts[operator_of(case)][kind] += 1
        if kind in ("wrong", "refused"):
            reasons[operator_of(case)].add(case.name.removeprefix("test_"))
    total = sum(counts.values(), start=Counter())
    judged = sum(total[kind] for kind in JUDGED)
    lines = [
        f"Of {sum(total.values()):,} cases {judged:,} have operators and dtypes that palingrad "
        "has; "
        f"{total['passes']:,} of these ({total['passes'] / judged:.1%}) pass.",
        "",
        "| operator | cases | pass | not |",
        "|---|---|---|---|",
    ]
    whole: list[str] = []
    for name, count in sorted(counts.items()):
        cases = sum(count[kind] for kind in JUDGED)
        if not cases:
            continue
        if count["passes"] == cases:
            whole.append(f"{name} {cases}")
        else:
            rest = ", ".join(sorted(reasons[name]))
            lines.append(f"| {name} | {cases} | {count['passes']} | {rest} |")
    lacking = [name for name, count in sorted(counts.items())
               if not any(count[kind] for kind in JUDGED)]  # fmt: skip
    lines += [
        "",
        "All cases of these pass, each with their number: " + ", ".join(whole) + ".",
        "",
        "palingrad has no operation, or no dtype, for "
        f"{total['no operation'] + total['other types']} cases: those of float8, bfloat16, 4-bit "
        "integers, strings, sequences and optionals, and of " + ", ".join(lacking) + ".",
    ]
    return "\n".join(lines)


def main() -> None:
    page = ROOT / "docs" / "onnx.md"
    text = page.read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    page.write_text(f"{head}{BEGIN}\n{table()}\n{END}{tail}")


if __name__ == "__main__":
    main()
