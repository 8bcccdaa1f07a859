"""Helper functions copied from this library's own source: windows, random bits, erf, ….

What they are written with in here, the maths namespace `m`, becomes NumPy; annotations go.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import re
import sys
import textwrap
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ....maths import numpy_maths
from .body import Names
from .code import Unwritable, dtype_name, plain

SIZE_OF = '''def size_of(shape):
    """How many elements an array of this shape has."""
    return int(np.prod(shape, dtype=np.int64))'''


# What the functions of the maths namespace that NumPy hasn't are called, by their ids.
OWN: dict[int, str] = {
    id(f): f.__name__ for name, f in vars(numpy_maths).items() if f is not getattr(np, name, None)
}


class Copier:
    """Collects helper functions and the tables they need, each once, under a name that nothing
    else in the module has: what is called alike in two places is two things."""

    def __init__(self, names: Names) -> None:
        self.functions: dict[str, str] = {}  # by name, in the order in which they were asked for
        self.tables: dict[str, str] = {}
        self._names = names
        self._titles: dict[tuple[int, str], str] = {}  # by the object's id and its own name
        self._held: list[Any] = []  # so that no id comes twice

    def maths(self, name: str) -> str:
        """A function of the maths namespace that NumPy hasn't, under its own name."""
        f = getattr(numpy_maths, name)
        return self.function(f, f.__name__)

    def function(self, f: Callable[..., Any], name: str, about: str | None = None) -> str:
        """Copy `f`, and all that it calls, as `name` or nearly so, which is returned; `about` is
        the docstring if it has none."""
        found = self._title(f, name)
        wanted: list[tuple[Any, str, str | None]] = [(f, found, about)]
        while wanted:
            one, title, doc = wanted.pop()
            if title not in self.functions:
                self.functions[title] = ""  # keeps the place, and ends circles
                text, needs = _rewritten(one, title, doc)
                self.functions[title] = self._with_globals(text, one, needs, wanted)
        return found

    def _title(self, thing: Any, wish: str) -> str:
        """The name of a function or table in the module."""
        if id(thing) in OWN:
            return OWN[id(thing)]
        key = id(thing), wish
        if key not in self._titles:
            self._titles[key] = self._names.same(wish)
            self._held.append(thing)
        return self._titles[key]

    def _with_globals(self, text: str, f: Any, needs: list[str], wanted: list[Any]) -> str:
        space = _space(f)
        for name in needs:
            value = space[name]
            if isinstance(value, FunctionType):
                title = self._title(value, name)
                wanted.append((value, title, None))
                text = _renamed(text, name, title)
            elif isinstance(value, np.dtype):
                text = re.sub(rf"(?<![\w.]){name}\b(?!=)", f"np.{dtype_name(value)}", text)
            elif value is math:
                text = _without_math(text)
                if "size_of(" in text:
                    self.functions.setdefault("size_of", SIZE_OF)
            elif isinstance(value, ModuleType):
                if value is not np:
                    raise Unwritable(f"it uses {value.__name__}")
                text = text if name == "np" else re.sub(rf"(?<![\w.]){name}\.", "np.", text)
            else:
                title = self._title(value, name)
                self.tables.setdefault(title, _table(f, name, value, title))
                text = _renamed(text, name, title)
        for name in sorted(set(re.findall(r"\bm\.(\w+)\b", text))):
            if getattr(np, name, None) is getattr(numpy_maths, name):
                text = re.sub(rf"\bm\.{name}\b", f"np.{getattr(np, name).__name__}", text)
            else:
                f = getattr(numpy_maths, name)
                text = re.sub(rf"\bm\.{name}\b", f.__name__, text)
                wanted.append((f, f.__name__, None))
        return text


def _renamed(text: str, name: str, title: str) -> str:
    """The text of a function with another name for one of its globals; a keyword of a call that is
    called like it stays."""
    if name == title:
        return text
    return re.sub(rf"(?<![\w.]){name}\b(?!=(?!=))", title, text)


def _rewritten(f: Any, name: str, about: str | None) -> tuple[str, list[str]]:
    """The text of f as `name`, without annotations and `m`, and the globals that it needs."""
    try:
        lines = textwrap.dedent(inspect.getsource(f)).splitlines()
    except (OSError, TypeError) as error:
        raise Unwritable("its source isn't there") from error
    tree = ast.parse("\n".join(lines)).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise Unwritable("it isn't an ordinary function")
    body = lines[tree.body[0].lineno - 1 :]
    parameters = _parameters(tree.args)
    text = "\n".join(body)
    text = re.sub(r"\b(\w+)\(m, ", r"\1(", text)
    text = re.sub(r"\b(\w+)\(m\)", r"\1()", text)
    head = f"def {name}({parameters}):"
    if ast.get_docstring(tree) is None and about:
        text = f'    """{about}"""\n{text}'
    local = {arg.arg for arg in ast.walk(tree) if isinstance(arg, ast.arg)}
    read = {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)} - local
    inside = set().union(
        *({one.id for one in ast.walk(part) if isinstance(one, ast.Name)} for part in tree.body)
    )
    needs = [one for one in sorted(read & inside) if one in _space(f) and one not in dir(builtins)]
    return f"{head}\n{text}", needs


def _space(f: Any) -> dict[str, Any]:
    """What the free names of a function mean: its module's, and those of functions around it."""
    cells = zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
    return f.__globals__ | {name: cell.cell_contents for name, cell in cells}


def _parameters(arguments: ast.arguments) -> str:
    """The parameters without annotations, `m` and `self`."""
    plain_ones = [arg.arg for arg in arguments.posonlyargs + arguments.args]
    defaults = [""] * (len(plain_ones) - len(arguments.defaults))
    defaults += [f"={ast.unparse(one)}" for one in arguments.defaults]
    parts = [
        name + default
        for name, default in zip(plain_ones, defaults, strict=True)
        if name not in ("m", "self")
    ]
    if arguments.vararg:
        parts.append(f"*{arguments.vararg.arg}")
    elif arguments.kwonlyargs:
        parts.append("*")
    for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parts.append(arg.arg if default is None else f"{arg.arg}={ast.unparse(default)}")
    return ", ".join(parts)


def _without_math(text: str) -> str:
    text = text.replace("math.prod(", "size_of(")
    for name in ("pi", "e", "nan", "inf"):
        text = re.sub(rf"\bmath\.{name}\b", f"np.{name}", text)
    if re.search(r"\bmath\.", text):
        raise Unwritable("it uses math")
    return text


def _table(f: Any, name: str, value: Any, title: str) -> str:
    """The lines that define a constant of f's module."""
    module = sys.modules.get(f.__module__)
    try:
        lines = inspect.getsource(module).splitlines() if module else []  # pyright: ignore
    except OSError:
        lines = []
    for node in ast.parse("\n".join(lines)).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            assert node.end_lineno is not None
            if not any(isinstance(one, ast.Call) for one in ast.walk(node)):
                found = "\n".join(lines[node.lineno - 1 : node.end_lineno])
                return title + found.removeprefix(name)
    return f"{title} = {plain(value)}"
