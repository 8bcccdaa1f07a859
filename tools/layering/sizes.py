"""The sizes of files, functions and folders, attribute tests, and operation classes in engines."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable

from .imports import Import
from .source import Package, Source


def long_functions(source: Source, limit: int) -> list[tuple[int, str, int]]:
    """Functions of more than `limit` lines: the line, the name, the number of lines."""
    found: list[tuple[int, str, int]] = []
    for node in source.all_of(ast.FunctionDef, ast.AsyncFunctionDef):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > limit:
            found.append((node.lineno, node.name, lines))
    return sorted(found)


def folder_sizes(package: Package) -> Counter[str]:
    """The number of files in each folder, without `__init__`, which is its table of contents."""
    return Counter(one.folder for one in package.values() if not one.path.endswith("__init__.py"))


def attribute_tests(source: Source) -> list[int]:
    """Lines that test whether an object has an attribute: hasattr, and getattr with a default."""
    return sorted(
        node.lineno
        for node in source.all_of(ast.Call)
        if isinstance(node.func, ast.Name)
        and (node.func.id == "hasattr" or (node.func.id == "getattr" and len(node.args) == 3))
    )


def classes_imported(package: Package, imports: Iterable[Import], folder: str) -> set[str]:
    """The classes imported from files of a folder; `file.*` if the file itself is imported."""
    found: set[str] = set()
    for one in imports:
        if one.target and one.target.startswith(folder + "/"):
            body = package[one.target].tree.body
            found |= {n.name for n in body if isinstance(n, ast.ClassDef)} & set(one.names)
            if not one.names:
                found.add(one.target.removeprefix(folder + "/").removesuffix(".py") + ".*")
    return found
