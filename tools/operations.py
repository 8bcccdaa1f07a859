"""Write docs/operations.md, the table of all operations, from the classes themselves.

With --check nothing is written, and a stale page is an error.
"""

from __future__ import annotations

import sys
from pathlib import Path

import palingrad  # noqa: F401 - fills the registry
from palingrad.graph import kinds
from palingrad.graph.operation import Operation
from palingrad.graph.registry import operations

PAGE = Path(__file__).resolve().parent.parent / "docs" / "operations.md"
KINDS = [
    kinds.Elementwise,
    kinds.Reduce,
    kinds.Layout,
    kinds.Contract,
    kinds.Window,
    kinds.Index,
    kinds.Random,
    kinds.Assign,
    kinds.Control,
    kinds.Composite,
]


def kind_of(operation: type[Operation]) -> str:
    return next(kind.__name__ for kind in KINDS if issubclass(operation, kind))


def row(operation: type[Operation]) -> str:
    text = (operation.__doc__ or "").split("\n\n")[0].replace("\n", " ").replace("|", r"\|")
    text = " ".join(text.split())
    return (
        f"| `{operation._kind_name}` | {kind_of(operation)} | {text} "
        f"| {operation.onnx or ''} | {len(operation.samples)} |"
    )


def page() -> str:
    families: dict[str, list[type[Operation]]] = {}
    for operation in operations.values():
        family = operation.__module__.removeprefix("palingrad.ops.")
        if operation.math and operation.__module__.startswith("palingrad.ops."):
            families.setdefault(family, []).append(operation)
    lines = [
        "# Operations",
        "",
        "Made by `python tools/operations.py` from the classes in `src/palingrad/ops/`: don't edit",
        "it. The last column counts the samples that prove an operation on every engine.",
    ]
    for family, members in sorted(families.items()):
        lines += ["", f"## {family}", "", "| operation | kind | meaning | ONNX | samples |"]
        lines += ["|---|---|---|---|---|", *map(row, members)]
    return "\n".join(lines) + "\n"


def main() -> int:
    if "--check" not in sys.argv:
        PAGE.write_text(page())
        return 0
    if not PAGE.exists() or PAGE.read_text() != page():
        print("docs/operations.md is stale: run `make format`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
