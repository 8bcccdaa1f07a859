"""The order of layers in a package, and circular imports.

Each folder may have an order, the lowest layer first, as in
`{"view": [["names"], ["drawing"], ["page"]]}`. An import is checked in the innermost folder that
contains both files: there it must lead from one part, a file or a folder, to a part of a lower
layer. Parts of one layer don't import each other. `*` stands for all parts that aren't named, which
may import each other. `__init__` is above all others of its folder. A folder without an order only
forbids circles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .imports import Import

Order = Mapping[str, Sequence[Sequence[str]]]


def upward(path: str, imported: Import, order: Order) -> str | None:
    """The violation of the order by an import in the file `path`, or None."""
    if imported.target is None or imported.target == path:
        return None
    here, there = path.split("/"), imported.target.split("/")
    depth = 0
    while here[depth] == there[depth]:
        depth += 1
    folder = "/".join(here[:depth])
    one, other = (name.removesuffix(".py") for name in (here[depth], there[depth]))
    levels = order.get(folder)
    if levels is None:
        return None
    above, below = _level(levels, one), _level(levels, other)
    within = f" in {folder}/" if folder else ""
    if above is None or below is None:
        return f"{other if above is not None else one} has no layer{within}"
    if above > below or (above == below and _unnamed(levels, one, other)):
        return None
    if above == below:
        return f"{one} imports {other}, which stands beside it{within}"
    return f"{one} imports {other}, which stands above it{within}"


def unknown(paths: Iterable[str], order: Order) -> list[str]:
    """Names in an order without a file or folder, and parts without a layer."""
    parts: dict[str, set[str]] = {}
    for path in paths:
        names = path.split("/")
        for depth, name in enumerate(names):
            parts.setdefault("/".join(names[:depth]), set()).add(name.removesuffix(".py"))
    found: list[str] = []
    for folder, levels in order.items():
        there = parts.get(folder, set())
        named = {name for names in levels for name in names}
        found += [
            f"the order of {folder or 'the package'} names {name}, which isn't there"
            for name in sorted(named - there - {"*"})
        ]
        if "*" not in named:
            found += [
                f"{name} has no layer in {folder or 'the package'}"
                for name in sorted(there - named - {"__init__"})
            ]
    return found


def circles(imports: Mapping[str, Iterable[Import]]) -> list[list[str]]:
    """The groups of files that import each other in a circle, directly or indirectly.

    Imports under `if TYPE_CHECKING:` don't run, and a string may never be loaded: neither counts.
    """
    edges = {
        path: sorted({one.target for one in found if one.target and not (one.hint or one.text)})
        for path, found in imports.items()
    }
    return [sorted(group) for group in _components(edges) if len(group) > 1]


def _level(levels: Sequence[Sequence[str]], name: str) -> int | None:
    if name == "__init__":
        return len(levels)
    rest: int | None = None
    for level, names in enumerate(levels):
        if name in names:
            return level
        if "*" in names:
            rest = level
    return rest


def _unnamed(levels: Sequence[Sequence[str]], *names: str) -> bool:
    named = {name for some in levels for name in some}
    return not any(name in named for name in names)


def _components(edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Strongly connected components (Tarjan 1972), with an explicit stack instead of recursion."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    found: list[list[str]] = []
    for root in edges:
        work = [(root, iter(edges[root]))] if root not in number else []
        if work:
            number[root] = low[root] = len(number)
            open_.append(root)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in number:
                    number[other] = low[other] = len(number)
                    open_.append(other)
                    work.append((other, iter(edges.get(other, ()))))
                    break
                if other in open_:
                    low[node] = min(low[node], number[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    at = open_.index(node)
                    found.append(open_[at:])
                    del open_[at:]
    return found
