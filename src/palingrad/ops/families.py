"""Families of operations that are imported on first use, so that `import palingrad` stays fast.

`pg.name`, and `ops.name` in rules, import the family. `__init__.py` lists the same names for type
checkers; tests/graph/test_imports.py compares the two.
"""

from __future__ import annotations

from ..graph.registry import aliases, later
from ..graph.state.imports import imported

_HERE = __name__.rpartition(".")[0]

# Module below `palingrad.ops`: its public functions.
FAMILIES: dict[str, str] = {}
for _module, _names in FAMILIES.items():
    later.update(dict.fromkeys(_names.split(), f"{_HERE}.{_module}"))

# Names in NumPy of functions that the array API standard, and so palingrad, calls otherwise.
ALIASES: dict[str, str] = {}
aliases.update(ALIASES)


def import_families() -> None:
    """Import all families, so that the registry of operations is complete."""
    for module in FAMILIES:
        imported(f"{_HERE}.{module}")
