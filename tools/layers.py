"""The layer check: a file imports its own folder or a lower layer, at the top of the file.

Python's imports inside functions are allowed only for the optional packages, each in one place.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "src" / "palingrad"

# From the ground up; names on one line are one layer and don't import each other.
LAYERS = [
    ["errors", "version"],
    ["dtypes", "shapes", "trees"],
    ["windows"],
    ["maths"],
    ["graph"],
    ["ops"],
    ["autodiff"],
    ["passes"],
    ["engines"],
    ["programs", "signature"],
    ["tracing"],
    ["session", "function"],
    ["io"],
    ["view"],
    ["nn", "optim", "data"],
    ["train"],
    ["cli"],
    ["__init__"],
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# A folder that needs an optional package may import it; its engine.py imports the folder late.
GATED = {"llvmlite": ROOT / "engines" / "native"}
OPTIONAL = {
    "rich", "typer", "pooch", "safetensors", "matplotlib", "llvmlite", "tensorboardX", "jax",
    "onnx", "PIL",
}  # fmt: skip


def part_of(path: Path) -> str:
    """The layer's name: the folder or file right under the package."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def target(path: Path, node: ast.ImportFrom) -> list[str]:
    """The parts of the package that an import statement reaches, by layer name."""
    if node.level == 0:
        return (
            [(node.module or "").split(".")[1]]
            if (node.module or "").startswith("palingrad.")
            else []
        )
    base = path.parent
    for _ in range(node.level - 1):
        base = base.parent
    if base == ROOT and not node.module:
        return [alias.name for alias in node.names]
    full = base.joinpath(*(node.module or "").split("."))
    return [full.relative_to(ROOT).parts[0]] if full != ROOT else ["__init__"]


def typing_only(tree: ast.Module) -> set[ast.AST]:
    """All nodes under `if TYPE_CHECKING:`."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            found.update(child for part in node.body for child in ast.walk(part))
    return found


def problems(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    here = part_of(path)
    top = set(tree.body)
    hints = typing_only(tree)
    found: list[str] = []
    if here not in LEVEL:
        return [f"{path}: {here} has no layer in tools/layers.py"]
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        where = f"{path.relative_to(ROOT.parent.parent)}:{node.lineno}"
        if isinstance(node, ast.ImportFrom):
            for name in target(path, node):
                if name != here and LEVEL.get(name, 99) >= LEVEL[here]:
                    found.append(f"{where}: {here} imports {name}, which isn't below it")
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if node.level == 0
            else []
        )
        late = node not in top and node not in hints
        if path.parent in GATED.values() and path.name == "engine.py" and late:
            continue
        outside = {name.split(".")[0] for name in names}
        if late and not outside & OPTIONAL:
            found.append(f"{where}: an import inside a function")
        gated = {name for name, folder in GATED.items() if path.is_relative_to(folder)}
        if not late and node not in hints and outside & OPTIONAL - gated and here != "cli":
            found.append(f"{where}: {outside} is optional at import; import it where it is used")
    if len(path.read_text().splitlines()) > 400:
        found.append(f"{path}: over 400 lines")
    return found


def cycles() -> list[str]:
    """Files that import each other in a circle inside one folder."""
    graph: dict[Path, set[Path]] = {}
    for path in ROOT.rglob("*.py"):
        tree = ast.parse(path.read_text())
        hints = typing_only(tree)
        graph[path] = set()
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or node.level == 0 or node in hints:
                continue
            base = path.parent
            for _ in range(node.level - 1):
                base = base.parent
            file = base.joinpath(*(node.module or "").split(".")) if node.module else base
            for one in (file.with_suffix(".py"), *(file / f"{a.name}.py" for a in node.names)):
                if one.exists():
                    graph[path].add(one)
    order: dict[Path, int] = {}
    while True:
        free = [p for p in graph if p not in order and all(q in order for q in graph[p] if q != p)]
        if not free:
            break
        for path in free:
            order[path] = len(order)
    return [
        f"in a circle of imports: {p.relative_to(ROOT)}" for p in sorted(graph) if p not in order
    ]


def main() -> int:
    files = sorted(ROOT.rglob("*.py"))
    found = [line for path in files for line in problems(path)] + cycles()
    print(
        "\n".join(found)
        if found
        else f"layers: {len(files)} files, no upward, late or circular import"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
