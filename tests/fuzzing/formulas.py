"""Elementwise operations of the user's own, made at random: expressions and their derivatives.

An expression is written twice, as text: with `m` in the formula f, and with nodes in the rule d.
The class is made from that text, which is also what a failure prints.
"""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import palingrad as pg
from palingrad.graph.operation import Operation

Expression = Any  # the name of an input, a Python number, or an Apply

NUMBERS: tuple[bool | int | float, ...] = (0, 1, 2, 3, -1, 0.5, -1.5, 2.0, 0.1, 1e-3, 100, True)


@dataclass(frozen=True)
class Function:
    """A function that formulas may call.

    `text` is how it is written with `m`; `node` with nodes, where that differs. `slopes` makes the
    derivatives from the arguments; without it they are 0. `boolean`: what it gives and takes.
    """

    text: str
    node: str = ""
    slopes: Callable[..., tuple[Expression, ...]] | None = None
    boolean: bool = False
    takes: str = "n"  # n a number, b a boolean, for each argument


@dataclass(frozen=True)
class Apply:
    """A function of expressions."""

    name: str
    arguments: tuple[Expression, ...]


def _(name: str) -> Callable[..., Expression]:
    return lambda *x: Apply(name, x)


_add, _sub, _mul, _div = _("add"), _("subtract"), _("multiply"), _("divide")
_number = _("number")


def _one(name: str, slope: Callable[[Expression], Expression] | None, node: str = "") -> Function:
    text = f"m.{name}({{}})"
    return Function(
        text, f"pg.{node or name}({{}})", None if slope is None else lambda x: (slope(x),)
    )


def _square_root_of(x: Expression) -> Expression:
    return Apply("sqrt", (x,))


FUNCTIONS: dict[str, Function] = {
    "add": Function("({} + {})", slopes=lambda x, y: (1, 1), takes="nn"),
    "subtract": Function("({} - {})", slopes=lambda x, y: (1, -1), takes="nn"),
    "multiply": Function("({} * {})", slopes=lambda x, y: (y, x), takes="nn"),
    "divide": Function(
        "({} / {})",
        slopes=lambda x, y: (_div(1, y), Apply("negative", (_div(x, _mul(y, y)),))),
        takes="nn",
    ),
    "floor_divide": Function("({} // {})", takes="nn"),
    "remainder": Function(
        "({} % {})",
        slopes=lambda x, y: (1, Apply("negative", (Apply("floor_divide", (x, y)),))),
        takes="nn",
    ),
    "negative": Function("(-{})", slopes=lambda x: (-1,)),
    "absolute": _one("absolute", lambda x: Apply("sign", (x,)), "abs"),
    "sign": _one("sign", None),
    "square": _one("square", lambda x: _mul(2, x)),
    "sqrt": _one("sqrt", lambda x: _div(0.5, _square_root_of(x))),
    "cbrt": _one("cbrt", lambda x: _div(1, _mul(3, Apply("square", (Apply("cbrt", (x,)),))))),
    "reciprocal": _one(
        "reciprocal", lambda x: Apply("negative", (_div(1, _mul(x, x)),)), "reciprocal"
    ),
    "exp": _one("exp", lambda x: Apply("exp", (x,))),
    "expm1": _one("expm1", lambda x: Apply("exp", (x,))),
    "log": _one("log", lambda x: _div(1, x)),
    "log1p": _one("log1p", lambda x: _div(1, _add(1, x))),
    "sin": _one("sin", lambda x: Apply("cos", (x,))),
    "cos": _one("cos", lambda x: Apply("negative", (Apply("sin", (x,)),))),
    "tanh": _one("tanh", lambda x: _sub(1, Apply("square", (Apply("tanh", (x,)),)))),
    "arctan": _one("arctan", lambda x: _div(1, _add(1, _mul(x, x))), "atan"),
    "arcsinh": _one("arcsinh", lambda x: _div(1, _square_root_of(_add(1, _mul(x, x)))), "asinh"),
    "sinh": _one("sinh", lambda x: Apply("cosh", (x,))),
    "cosh": _one("cosh", lambda x: Apply("sinh", (x,))),
    "floor": _one("floor", None),
    "ceil": _one("ceil", None),
    "trunc": _one("trunc", None),
    "rint": _one("rint", None, "round"),
    "maximum": Function(
        "m.maximum({}, {})",
        "pg.maximum({}, {})",
        lambda x, y: (_number(Apply("greater", (x, y))), _number(Apply("less_equal", (x, y)))),
        takes="nn",
    ),
    "minimum": Function(
        "m.minimum({}, {})",
        "pg.minimum({}, {})",
        lambda x, y: (_number(Apply("less", (x, y))), _number(Apply("greater_equal", (x, y)))),
        takes="nn",
    ),
    "where": Function(
        "m.where({}, {}, {})",
        "pg.where({}, {}, {})",
        lambda c, x, y: (0, _number(c), _number(Apply("logical_not", (c,)))),
        takes="bnn",
    ),
    "less": Function("({} < {})", boolean=True, takes="nn"),
    "less_equal": Function("({} <= {})", boolean=True, takes="nn"),
    "greater": Function("({} > {})", boolean=True, takes="nn"),
    "greater_equal": Function("({} >= {})", boolean=True, takes="nn"),
    "equal": Function("({} == {})", boolean=True, takes="nn"),
    "isfinite": Function("m.isfinite({})", "pg.isfinite({})", boolean=True),
    "logical_and": Function("({} & {})", boolean=True, takes="bb"),
    "logical_or": Function(
        "m.logical_or({}, {})", "pg.logical_or({}, {})", boolean=True, takes="bb"
    ),
    "logical_not": Function("(~{})", boolean=True, takes="b"),
    # A condition used as a number: formulas let NumPy's promotion do it, derivatives cast.
    "number": Function("{}", "pg.cast({}, x.dtype)", takes="b"),
}
EXACT_ON_INTEGERS = frozenset(
    "add subtract multiply floor_divide remainder negative absolute sign square floor trunc "
    "maximum minimum where less less_equal greater equal logical_and logical_not number".split()
)


def written(e: Expression, *, nodes: bool) -> str:
    """The expression as Python."""
    if not isinstance(e, Apply):
        return str(e) if isinstance(e, str) or not _is_negative(e) else f"({e})"
    function = FUNCTIONS[e.name]
    text = function.node or function.text if nodes else function.text
    return text.format(*(written(x, nodes=nodes) for x in e.arguments))


def _is_negative(number: Any) -> bool:
    return number < 0


def slope(e: Expression, name: str) -> Expression:
    """∂e/∂name."""
    if not isinstance(e, Apply):
        return int(isinstance(e, str) and e == name)
    slopes = FUNCTIONS[e.name].slopes
    if slopes is None:
        return 0
    total: Expression = 0
    for outer, x in zip(slopes(*e.arguments), e.arguments, strict=True):
        inner = slope(x, name)
        if isinstance(inner, int) and inner == 0 or isinstance(outer, int) and outer == 0:
            continue
        term = _times(outer, inner)
        total = term if isinstance(total, int) and total == 0 else _add(total, term)
    return total


def _times(x: Expression, y: Expression) -> Expression:
    if isinstance(x, int) and x == 1:
        return y
    return x if isinstance(y, int) and y == 1 else _mul(x, y)


def source(e: Expression, inputs: tuple[str, ...], *, floats: bool) -> str:
    """The class of the operation, as Python text; its name follows from what it does."""
    names = ", ".join(inputs)
    boolean = isinstance(e, Apply) and FUNCTIONS[e.name].boolean
    slopes = ", ".join(written(slope(e, one), nodes=True) for one in inputs)
    lines = [f"    floats = {floats}"] * floats + [f"    boolean = {boolean}"] * boolean
    lines += ["", f"    def f(m, {names}):", f"        return {written(e, nodes=False)}"]
    if not boolean:
        lines += ["", f"    def d(out, {names}):", f"        return [{slopes}]"]
    body = "\n".join(lines).lstrip("\n")
    return f"class Formula{hashlib.sha256(body.encode()).hexdigest()[:8]}(pg.Elementwise):\n{body}\n"


@cache
def operation(text: str) -> type[Operation]:
    """The class that `text` defines, made once."""
    name = text.removeprefix("class ").partition("(")[0]
    file = f"<{name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space: dict[str, Any] = {"pg": pg, "__name__": "fuzzing.made"}
    exec(compile(text, file, "exec"), space)  # as a user's own module would define it
    made: type[Operation] = space[name]
    TEXTS[made] = text
    return made


TEXTS: dict[type[Operation], str] = {}  # of the operations that were made here


def random_formula(rng: np.random.Generator) -> str:
    """The text of an operation on one to three inputs; it uses all of them."""
    inputs = ("x", "y", "z")[: rng.choice([1, 1, 2, 2, 3])]
    floats = bool(rng.random() < 0.6)
    names = list(FUNCTIONS) if floats or rng.random() < 0.3 else sorted(EXACT_ON_INTEGERS)
    e = _random(rng, int(rng.integers(1, 5)), names, inputs, boolean=bool(rng.random() < 0.1))
    for one in inputs:
        if one not in written(e, nodes=False).replace("exp", ""):
            e = Apply("where", (e, one, 0)) if _boolean(e) else Apply("add", (e, one))
    return source(e, inputs, floats=floats)


def _boolean(e: Expression) -> bool:
    return isinstance(e, Apply) and FUNCTIONS[e.name].boolean


def _random(
    rng: np.random.Generator, depth: int, names: list[str], inputs: tuple[str, ...], *, boolean: bool
) -> Expression:
    if not boolean and (depth == 0 or rng.random() < 0.15):
        if rng.random() < 0.3:
            return NUMBERS[rng.integers(len(NUMBERS))]
        return inputs[rng.integers(len(inputs))]
    fitting = [
        name
        for name in names
        if FUNCTIONS[name].boolean == boolean and (depth > 0 or "b" not in FUNCTIONS[name].takes)
    ]
    name = fitting[rng.integers(len(fitting))]
    arguments: list[Expression] = [
        _random(rng, max(depth - 1, 0), names, inputs, boolean=kind == "b")
        for kind in FUNCTIONS[name].takes
    ]
    if not any(isinstance(one, (str, Apply)) for one in arguments):
        arguments[-1] = inputs[rng.integers(len(inputs))]  # f must get a value to work on
    return Apply(name, tuple(arguments))
