"""The imports of a file, of every form.

These are import statements, calls that load a module by name (`importlib.import_module`,
`__import__`, `runpy`, `sys.modules`), and strings that are the full name of a module of the
package, because code can load a module by that name. Computed names are reported.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from .source import Package, Source, module_file

# Modules and builtins that load modules by name. All attributes of LOADERS count as such, except
# those in HARMLESS, so a reference to the module itself counts as well.
LOADERS = {"importlib", "runpy", "pkgutil", "imp", "zipimport"}
HARMLESS = {"importlib.util.find_spec", "importlib.resources", "importlib.metadata"}
BUILTIN = {"__import__", "__builtins__", "exec", "eval"}
MODULES = "sys.modules"


@dataclass(frozen=True)
class Import:
    """An import of one module: a file of the package, or an outside package."""

    line: int
    target: str | None  # the path of the file in the package
    outside: str | None  # the first part of an outside module's name
    names: tuple[str, ...] = ()  # the names imported from the module
    late: bool = False  # not at the top of the file
    hint: bool = False  # under `if TYPE_CHECKING:`
    text: bool = False  # only a string with the module's name


@dataclass(frozen=True)
class Computed:
    """A line that loads a module whose name isn't in the source."""

    line: int
    what: str


def imports_of(package: Package, source: Source, name: str) -> list[Import | Computed]:
    """All imports of `source`, a file of the package `name`, in the order of lines."""
    reader = _Reader(package, source, name)
    found = [*reader.statements(), *reader.loaded(), *reader.strings(), *reader.hooks()]
    return sorted(found, key=lambda one: one.line)


class _Reader:
    def __init__(self, package: Package, source: Source, name: str) -> None:
        self.package, self.source, self.name = package, source, name
        self.here = tuple(source.folder.split("/")) if source.folder else ()
        self.top = set(source.tree.body)
        self.aliases = _aliases(source)
        self.calls = {id(call.func): call for call in source.all_of(ast.Call)}

    # ---------------------------------------------------------------- statements

    def statements(self) -> list[Import]:
        found: list[Import] = []
        for node in self.source.all_of(ast.Import):
            for alias in node.names:
                found += self._module(node, alias.name.split("."), ())
        for node in self.source.all_of(ast.ImportFrom):
            found += self._from(node)
        return found

    def _from(self, node: ast.ImportFrom) -> list[Import]:
        names = (node.module or "").split(".") if node.module else []
        if node.level:
            keep = len(self.here) - (node.level - 1)
            names = [self.name, *self.here[:keep], *names]
        found: list[Import] = []
        values: list[str] = []
        for alias in node.names:  # each a module of the folder, or a value of the module
            if module_file(self.package, (*names[1:], alias.name)):
                found += self._module(node, [*names, alias.name], ())
            else:
                values.append(alias.name)
        return found + (self._module(node, names, tuple(values)) if values else [])

    def _module(self, node: ast.AST, names: list[str], values: tuple[str, ...]) -> list[Import]:
        """The import, at a syntax node, of a module with this full name."""
        hint = node in self.source.typing_only
        late = node not in self.top and not hint
        line: int = getattr(node, "lineno", 0)
        if names[0] != self.name:
            return [Import(line, None, names[0], values, late, hint)]
        target = self._file(names)
        return [Import(line, target, None, values, late, hint)] if target else []

    def _file(self, names: list[str]) -> str | None:
        """The file of the longest prefix of a dotted name that is a module."""
        for end in range(len(names), 0, -1):
            path = module_file(self.package, tuple(names[1:end]))
            if path:
                return path
        return None

    # ---------------------------------------------------------------- loading by name

    def loaded(self) -> list[Import | Computed]:
        found: list[Import | Computed] = []
        inner = {id(node.value) for node in self.source.all_of(ast.Attribute)}
        for node in self.source.all_of(ast.Name, ast.Attribute, ast.Call):
            full = self._full(node) if id(node) not in inner else None
            if full and _loads(full):
                found += self._load(node, full)
        return found

    def _full(self, node: ast.AST) -> str | None:
        """The full name of a name or attribute expression, such as `importlib.import_module`."""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id) or (node.id if node.id in BUILTIN else None)
        if isinstance(node, ast.Attribute):
            base = self._full(node.value)
            return f"{base}.{node.attr}".removeprefix("builtins.") if base else None
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "getattr":
            base, name = self._full(node.args[0]), _literal(node.args[1])
            return f"{base}.{name}" if base else None
        return None

    def _load(self, node: ast.AST, full: str) -> list[Import | Computed]:
        call = self.calls.get(id(node))
        name = _literal(call.args[0]) if call and call.args else None
        computed = [Computed(getattr(node, "lineno", 0), ast.unparse(call or node))]
        if full.startswith(MODULES):  # `strings` finds literal names
            return [] if self._looked_up(node) else [*computed]
        if full not in ("importlib.import_module", "__import__", "runpy.run_module") or not name:
            return [*computed]
        assert call is not None
        if name.startswith("."):
            package = ast.unparse(call.args[1]) if len(call.args) > 1 else ""
            dots = len(name) - len(name.lstrip("."))
            if package not in ("__name__", "__package__"):
                return [*computed]
            if package == "__name__" and not self.source.path.endswith("__init__.py"):
                return [*computed]
            base = self.here[: len(self.here) - (dots - 1)]
            name = ".".join((self.name, *base, name.lstrip(".")))
        return list(self._module(node, name.split("."), ()))

    def _looked_up(self, node: ast.AST) -> str | None:
        """The name in `sys.modules["name"]`, `sys.modules.get("name")`, `"name" in sys.modules`."""
        call = self.calls.get(id(node))
        if call and call.args and isinstance(node, ast.Attribute) and node.attr == "get":
            return _literal(call.args[0])
        for one in self.source.all_of(ast.Subscript):
            if one.value is node:
                return _literal(one.slice)
        for one in self.source.all_of(ast.Compare):
            if one.comparators == [node]:
                return _literal(one.left)
        return None

    # ---------------------------------------------------------------- strings and module hooks

    def strings(self) -> list[Import]:
        """String constants that are full names of modules of the package, except docstrings."""
        pattern = re.compile(rf"{self.name}(\.\w+)+")
        found: list[Import] = []
        for node in self.source.all_of(ast.Constant):
            text = _literal(node)
            if text and node not in self.source.docstrings and pattern.fullmatch(text):
                target = self._file(text.split("."))
                if target and target != "__init__.py":
                    found.append(Import(getattr(node, "lineno", 0), target, None, text=True))
        return found

    def hooks(self) -> list[Computed]:
        """Module-level `__getattr__` functions, whose names come from a computed source."""
        return [
            Computed(node.lineno, "def __getattr__")
            for node in self.source.tree.body
            if isinstance(node, ast.FunctionDef) and node.name == "__getattr__"
        ]


def _loads(full: str) -> bool:
    """Whether a dotted name is a function or table that loads modules by name."""
    if full in HARMLESS or any(full.startswith(one + ".") for one in HARMLESS):
        return False
    return (
        full in BUILTIN or full.split(".")[0] in LOADERS or (full + ".").startswith(MODULES + ".")
    )


def _aliases(source: Source) -> dict[str, str]:
    """The full names of the objects that this file imports from other packages, by local name."""
    found: dict[str, str] = {}
    for node in source.all_of(ast.Import):
        for alias in node.names:
            first = alias.name.split(".")[0]
            found[alias.asname or first] = alias.name if alias.asname else first
    for node in source.all_of(ast.ImportFrom):
        if node.level == 0:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found[alias.asname or alias.name] = full.removeprefix("builtins.")
    return found


def _literal(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
