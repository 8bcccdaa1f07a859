"""The functions that derivatives are made of, their syntax trees, and the operations they serve."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

from palingrad.autodiff import forward, reverse
from palingrad.graph import kinds
from palingrad.graph.derivatives import cotangents
from palingrad.graph.operation import MultipleOutputs, Operation
from palingrad.graph.registry import ops
from palingrad.ops import contract, state
from palingrad.ops.elementwise import arithmetic, comparison, discrete, selection
from palingrad.ops.families import import_families
from palingrad.ops.layout import join
from palingrad.ops.linalg import determinant, lu, quotient
from palingrad.ops.losses import cross_entropy, squares
from palingrad.ops.reduction import reduce
from palingrad.proof import shipped

RULES = ("d", "vjp", "jvp")
OWN = ("palingrad.ops.", "palingrad.autodiff.")  # where operations are
PANEL: list[type[Operation]] = [
    discrete.Cast,
    arithmetic.Multiply,
    arithmetic.Divide,
    comparison.Less,
    selection.Where,
    state.After,
    reduce.Max,
    join.Split,
    join.Concat,
    contract.Dot,
    cross_entropy.CrossEntropy,
]
# Products, a loss, several outputs, integers, a composite: with and without a `jvp` of their own.
PASSED: list[type[Operation]] = [
    arithmetic.Multiply,
    contract.Matmul,
    squares.MeanSquaredError,
    determinant.Slogdet,
    reduce.Argmax,
    cross_entropy.CrossEntropy,
    contract.Dot,
    join.Split,
]
# Tangents of a smaller shape, a linear operation of several inputs, an output of integers, an input
# without a derivative.
PUSHED = [*PASSED, arithmetic.Add, join.Concat, lu.LuFactor, quotient.GapQuotient]
# What rules share and what the passes do with each, and operations that use every part of it.
MACHINERY: list[tuple[Any, str, list[type[Operation]]]] = [
    (cotangents, "scaled", PANEL),
    (cotangents, "scaled_tangent", PANEL),
    (kinds.Elementwise, "vjp", PANEL),
    (kinds.Elementwise, "jvp", PANEL),
    (kinds.Composite, "vjp", [contract.Dot, contract.Outer, squares.SquaredError]),
    (reverse, "unbroadcast", PANEL),
    (reverse, "pulled_back", PASSED),
    (reverse, "_accumulate", PASSED),
    (reverse, "_accumulate_item", PASSED),
    (forward, "_pushed", PUSHED),
    (forward, "_double_vjp", PUSHED),
]


@dataclass(frozen=True, eq=False)
class Rule:
    """A function, the class or module that holds it, and the operations to check."""

    owner: Any
    name: str
    function: FunctionType
    operations: tuple[type[Operation], ...]

    @property
    def key(self) -> str:
        """`arithmetic.Divide.d`: where it stands."""
        place = self.module.__name__.rpartition(".")[2]
        return f"{place}.{self.function.__qualname__}"

    @property
    def module(self) -> ModuleType:
        return sys.modules[self.function.__module__]

    @property
    def tree(self) -> ast.FunctionDef:
        """The syntax tree of the function; nobody may change it."""
        return _functions(self.module)[self.function.__qualname__]


@cache
def source(module: ModuleType) -> str:
    """The text of a module as it was when it was first asked for."""
    return inspect.getsource(module)


@cache
def _functions(module: ModuleType) -> dict[str, ast.FunctionDef]:
    """The functions of a module and the methods of its classes, by qualified name."""
    found: dict[str, ast.FunctionDef] = {}
    for node in ast.parse(source(module)).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.ClassDef):
            for one in node.body:
                if isinstance(one, ast.FunctionDef):
                    found[f"{node.name}.{one.name}"] = one
    return found


def rules() -> list[Rule]:
    """All rules, in the order of their operations, then their helpers, then what all share."""
    operations = [operation for operation in shipped() if operation.samples]
    uses: dict[tuple[Any, str], list[type[Operation]]] = {}
    for operation in operations:
        for place in _reached(operation, RULES):
            uses.setdefault(place, []).append(operation)
    for operation in operations:  # whose derivatives are those of what they are made of
        for place in _reached(operation, ["expand"]):
            if place in uses and operation not in uses[place]:
                uses[place].append(operation)
    found = [
        Rule(owner, name, _plain(getattr(owner, name)), tuple(users))
        for (owner, name), users in uses.items()
    ]
    return found + [
        Rule(owner, name, _plain(getattr(owner, name)), tuple(panel))
        for owner, name, panel in MACHINERY
    ]


def _reached(operation: type[Operation], names: Iterable[str]) -> list[tuple[Any, str]]:
    """The methods of these names, and all helpers that they call, directly or indirectly."""
    work = [held for name in names if (held := _held(operation, name))]
    found: list[tuple[Any, str]] = []
    while work:
        place = work.pop(0)
        if place not in found:
            found.append(place)
            work += _helpers(operation, getattr(*place))
    return found


def _plain(function: Any) -> FunctionType:
    assert isinstance(function, FunctionType), function
    return function


def _held(operation: type[Operation], name: str) -> tuple[Any, str] | None:
    """The class of the library's operations that defines the method, if one does."""
    for owner in operation.__mro__:
        if name in vars(owner):
            return (owner, name) if owner.__module__.startswith(OWN) else None
    return None


def _helpers(operation: type[Operation], function: FunctionType) -> Iterator[tuple[Any, str]]:
    """The functions and methods, private to the operations, that a rule calls."""
    tree = _functions(sys.modules[function.__module__])[function.__qualname__]
    import_families()
    public = vars(ops).keys() - {"sum_to"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found = function.__globals__.get(node.id)
        elif isinstance(node, ast.Attribute) and node.attr == "sum_to":
            found = ops.sum_to
        elif isinstance(node, ast.Attribute) and _is_first(node.value, tree):
            held = _held(operation, node.attr)
            if held and isinstance(getattr(*held), FunctionType):
                yield held
            continue
        else:
            continue
        if isinstance(found, type) and issubclass(found, MultipleOutputs):
            # such as SVD, of which singular values are a part that has no phase
            yield from filter(None, (_held(found, name) for name in RULES))
        for one in found.values() if isinstance(found, dict) else [found]:
            if isinstance(one, FunctionType) and one.__module__.startswith("palingrad.ops."):
                if one.__name__ not in public and one.__name__ != "<lambda>":
                    yield sys.modules[one.__module__], one.__name__


def _is_first(node: ast.expr, tree: ast.FunctionDef) -> bool:
    first: Iterable[ast.arg] = tree.args.args[:1]
    return isinstance(node, ast.Name) and node.id in {one.arg for one in first}
