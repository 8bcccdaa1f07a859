"""The files of a package, each parsed once."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

N = TypeVar("N", bound=ast.AST)


@dataclass(frozen=True, eq=False)
class Source:
    """One file: its path in the package, such as `graph/node.py`, and its syntax tree."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def _by_type(self) -> dict[type[ast.AST], list[ast.AST]]:
        found: dict[type[ast.AST], list[ast.AST]] = {}
        rest: list[ast.AST] = [self.tree]
        while rest:
            node = rest.pop()
            found.setdefault(type(node), []).append(node)
            for child in vars(node).values():
                if isinstance(child, ast.AST):
                    rest.append(child)
                elif isinstance(child, list):
                    rest.extend(one for one in child if isinstance(one, ast.AST))
        return found

    def all_of(self, *types: type[N]) -> list[N]:
        """All nodes of the tree that are of one of these types, unordered."""
        found: list[Any] = [node for one in types for node in self._by_type.get(one, ())]
        return found

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @property
    def folder(self) -> str:
        """The path of the file's folder, "" for the package itself."""
        return self.path.rpartition("/")[0]

    @cached_property
    def typing_only(self) -> set[ast.AST]:
        """All nodes under `if TYPE_CHECKING:`."""
        found: set[ast.AST] = set()
        for node in self.all_of(ast.If):
            if _is_typing(node.test):
                found.update(child for part in node.body for child in ast.walk(part))
        return found

    @cached_property
    def docstrings(self) -> set[ast.AST]:
        """String constants that are statements of their own, such as docstrings."""
        return {
            node.value for node in self.all_of(ast.Expr) if isinstance(node.value, ast.Constant)
        }


Package = dict[str, Source]


def read(root: Path) -> Package:
    """All Python files of the package in the folder `root`, by their path."""
    return {
        path.relative_to(root).as_posix(): Source(
            path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
        )
        for path in sorted(root.rglob("*.py"))
    }


def module_file(package: Package, parts: tuple[str, ...]) -> str | None:
    """The path of the module with this dotted name in the package, or None."""
    for path in ("/".join((*parts, "__init__.py")), "/".join(parts) + ".py"):
        if path in package:
            return path
    return None


def _is_typing(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
