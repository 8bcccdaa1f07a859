"""Measures the special functions against mpmath and writes the table of docs/special.md.

Run: python tools/special.py [NAME…]. At least 2,000 points of each function over its whole domain,
in float64 and float32; with names, only those rows are written anew. It takes some minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from accuracy.measure import errors
from accuracy.points import TABLE, Row

PAGE = Path(__file__).resolve().parent.parent / "docs" / "special.md"
HEADER = (
    "| function | points | n | median | 99 % | worst | at | worst, float32 |",
    "|---|---|---|---|---|---|---|---|",
)
START, END = "<!-- accuracy -->", "<!-- end -->"


def measured(name: str, row: Row, count: int = 2000) -> list[str]:
    """The cells of a row of the table."""
    cells: list[str] = []
    for dtype in (np.float64, np.float32):
        found = errors(row, dtype, count if dtype is np.float64 else count // 4)
        units = [one[0] for one in found]
        worst = max(found, key=lambda one: one[1])
        cells += [str(len(found)), f"{np.median(units):.1f}", f"{np.quantile(units, 0.99):.1f}"]
        cells.append(f"{worst[1]:.1f}")
        if dtype is np.float64:
            cells.append(", ".join(f"{x:.4g}" for x in worst[2]))
            print(name, *cells, f"plain {max(units):.3g}", flush=True)
    return [f"`{name}`", row.domain, *cells[:5], cells[8]]


def main(names: list[str]) -> int:
    text = PAGE.read_text()
    head, _, rest = text.partition(START)
    table, _, tail = rest.partition(END)
    rows = {line.split("`")[1]: line for line in table.splitlines() if line.startswith("| `")}
    for name in names or TABLE:
        rows[name] = f"| {' | '.join(measured(name, TABLE[name]))} |"
        body = [rows[one] for one in TABLE if one in rows]
        PAGE.write_text("\n".join([head + START, *HEADER, *body, END + tail]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
