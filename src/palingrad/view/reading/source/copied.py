"""Copies helper functions from this library's own source: windows, random bits, erf, …

Copies call NumPy instead of the maths namespace `m` and have no annotations.
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
from functools import lru_cache
from pprint import pformat
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ....maths import numpy_maths
from ....maths.library.special import OWN as SPECIAL
from ....maths.matrices.lapack import lapack
from .body import Names
from .code import Unwritable, dtype_name, plain

_WIDTH = 100  # of a line
SIZE_OF = '''def size_of(shape):
    """The number of elements of an array of this shape."""
    return int(np.prod(shape, dtype=np.int64))'''


# Special functions aren't copied: their formulas are several files, and call SciPy.
_CALL = '''def {name}(*x):
    """The special function `{name}`, as palingrad computes it."""
    from palingrad.maths.library.special import special

    return special("{name}", *x)'''
# Written programs import SciPy's LAPACK where they call it.
_LAPACK = '''def {name}(name, dtype):
    """SciPy's function `name` of LAPACK or BLAS for this dtype: "potrf" is spotrf, dpotrf, …"""
    import scipy.linalg

    kind = {{"f": "s", "d": "d", "F": "c", "D": "z"}}[dtype.char]
    module = scipy.linalg.blas if name in ("trsm", "gemm") else scipy.linalg.lapack
    return getattr(module, kind + name)'''

# The names of the functions of the maths namespace that NumPy lacks, by the ids of these and of
# those that they wrap.
OWN: dict[int, str] = {
    id(one): f.__name__
    for name, f in vars(numpy_maths).items() if f is not getattr(np, name, None)
    for one in (f, inspect.unwrap(f))
}  # fmt: skip


class Copier:
    """Collects helper functions and the tables they use, each once and under a unique name.

    Two different objects of the same name get different names in the module.
    """

    def __init__(self, names: Names) -> None:
        self.functions: dict[str, str] = {}  # text by name, in the order of first use
        self.tables: dict[str, str] = {}
        self._names = names
        self._titles: dict[tuple[int, str], str] = {}  # (id, original name) → name in the module
        self._held: list[Any] = []  # keeps ids unique

    def maths(self, name: str) -> str:
        """Copy a function of the maths namespace that NumPy lacks, under its own name."""
        f = getattr(numpy_maths, name)
        return self.function(f, f.__name__)

    def function(self, f: Callable[..., Any], name: str, about: str | None = None) -> str:
        """Copy `f` and all functions that it calls. Returns its name in the module, which is `name`
        or, if that is taken, `name` with a number; `about` is the docstring if `f` has none."""
        copied = self._title(f, name)
        pending: list[tuple[Any, str, str | None]] = [(f, copied, about)]
        while pending:
            function, title, doc = pending.pop()
            function = inspect.unwrap(function)
            if title not in self.functions:
                self.functions[title] = ""  # reserves the position and ends recursion
                if SPECIAL.get(title) is function:
                    self.functions[title] = _CALL.format(name=title)
                    continue
                if function is lapack:
                    self.functions[title] = _LAPACK.format(name=title)
                    continue
                text, needs = _rewritten(function, title, doc)
                self.functions[title] = self._with_globals(text, function, needs, pending)
        return copied

    def _title(self, value: Any, name: str) -> str:
        """The name of a function or table in the module."""
        if id(value) in OWN:
            return OWN[id(value)]
        key = id(value), name
        if key not in self._titles:
            self._titles[key] = self._names.same(name)
            self._held.append(value)
        return self._titles[key]

    def _with_globals(self, text: str, f: Any, needs: list[str], pending: list[Any]) -> str:
        """The text with its globals and calls of `m` renamed; functions are added to `pending`."""
        space = _space(f)
        for name in needs:
            value = space[name]
            if isinstance(value, FunctionType):
                title = self._title(value, name)
                pending.append((value, title, None))
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
                pending.append((f, f.__name__, None))
        return text


def _renamed(text: str, name: str, title: str) -> str:
    """The text of a function with one of its globals renamed; keywords of calls are unchanged."""
    if name == title:
        return text
    return re.sub(rf"(?<![\w.]){name}\b(?!=(?!=))", title, text)


def _rewritten(f: Any, name: str, about: str | None) -> tuple[str, list[str]]:
    """The text of f under `name`, without annotations and `m`, and the names of its globals."""
    code = getattr(inspect.unwrap(f), "__code__", None)
    if code is None:
        raise Unwritable("it isn't an ordinary function")
    read = _read(code)
    text = read.text
    if not read.has_docstring and about:
        text = f'    """{about}"""\n{text}'
    space, known = _space(f), {*dir(builtins), "Any"}
    needs = [x for x in read.names if x in space and x not in known]
    return f"def {name}({read.parameters}):\n{text}", needs


class _Read(NamedTuple):
    """What the source code of a function says."""

    parameters: str
    text: str  # of its body, without annotations and `m`
    has_docstring: bool
    names: tuple[str, ...]  # that it reads and that aren't its own, sorted


@lru_cache(maxsize=1024)  # of code objects: parsing takes longer than all other writing
def _read(code: CodeType) -> _Read:
    """The source code of a function's code object. Raises Unwritable if there is none."""
    try:
        lines = textwrap.dedent(inspect.getsource(code)).splitlines()
    except (OSError, TypeError) as error:
        raise Unwritable("its source code isn't available") from error
    tree = ast.parse("\n".join(lines)).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise Unwritable("it isn't an ordinary function")
    text = "\n".join(lines[tree.body[0].lineno - 1 :])
    text = re.sub(r"\b(\w+)\(m, ", r"\1(", text)
    text = re.sub(r"\b(\w+)\(m\)", r"\1()", text)
    text = re.sub(
        r"\) -> Any:", "):", re.sub(r"(?<=\w): Any(?=[,)])", "", text)
    )  # of inner functions
    text = re.sub(r"^( +\w+): [\w\[\], |.]+ = ", r"\1 = ", text, flags=re.MULTILINE)  # of variables
    parts = [*ast.walk(tree)]
    local = {arg.arg for arg in parts if isinstance(arg, ast.arg)}
    inside = {x.id for part in tree.body for x in ast.walk(part) if isinstance(x, ast.Name)}
    named = ast.get_docstring(tree) is not None
    return _Read(_parameters(tree.args), text, named, tuple(sorted(inside - local)))


def _space(f: Any) -> dict[str, Any]:
    """The values of a function's free names: module globals and closure variables."""
    cells = zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
    return f.__globals__ | {name: cell.cell_contents for name, cell in cells}


def _parameters(arguments: ast.arguments) -> str:
    """The parameters without annotations, `m` and `self`."""
    positional = [arg.arg for arg in arguments.posonlyargs + arguments.args]
    defaults = [""] * (len(positional) - len(arguments.defaults))
    defaults += [f"={ast.unparse(default)}" for default in arguments.defaults]
    parts = [
        name + default
        for name, default in zip(positional, defaults, strict=True)
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
    definition = _definitions("\n".join(lines)).get(name)
    if definition is not None:
        return title + definition
    text = f"{title} = {plain(value)}"
    if len(text) > _WIDTH:
        rows = pformat(value, width=_WIDTH - len(title) - 16, compact=True)
        text = f"{title} = {rows}  # fmt: skip"
    return text


@lru_cache(maxsize=256)
def _definitions(text: str) -> dict[str, str]:
    """The names that a module's text assigns to, with the text behind each first assignment.

    What calls functions or reads other constants isn't among them: it is written as its value.
    """
    lines, found = text.splitlines(), dict[str, str]()
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and not any(
            isinstance(x, (ast.Call, ast.Name)) for x in ast.walk(node.value)
        ):
            assert node.end_lineno is not None
            name = ast.unparse(node.targets[0])
            definition = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            found.setdefault(name, definition.removeprefix(name))
    return found
