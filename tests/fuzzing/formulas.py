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


def _call(name: str) -> Callable[..., Expression]:
    return lambda *x: Apply(name, x)


_add, _sub, _mul, _div, _neg = map(_call, ("add", "subtract", "multiply", "divide", "negative"))
_square, _sqrt, _number = map(_call, ("square", "sqrt", "number"))
Slope = Callable[..., Expression]


def _one(name: str, slope: Slope | None = None, node: str = "") -> Function:
    """A function of one argument, and the name of the operation where that is another."""
    slopes = None if slope is None else lambda x: (slope(x),)
    return Function(f"m.{name}({{}})", f"pg.{node or name}({{}})", slopes)


def _two(name: str, slopes: Slope | None = None, node: str = "") -> Function:
    return Function(f"m.{name}({{}}, {{}})", f"pg.{node or name}({{}}, {{}})", slopes, takes="nn")


def _infix(sign: str, slopes: Slope | None = None, *, boolean: bool = False) -> Function:
    return Function(f"({{}} {sign} {{}})", "", slopes, boolean=boolean, takes="nn")


def _asks(name: str) -> Function:
    return Function(f"m.{name}({{}})", f"pg.{name}({{}})", boolean=True)


def _compares(name: str) -> Callable[[Expression, Expression], Expression]:
    return lambda x, y: _number(Apply(name, (x, y)))


def _share(wins: str, loses: str) -> Slope:
    return lambda x, y: (_compares(wins)(x, y), _compares(loses)(x, y))


FUNCTIONS: dict[str, Function] = {
    "add": _infix("+", lambda x, y: (1, 1)),
    "subtract": _infix("-", lambda x, y: (1, -1)),
    "multiply": _infix("*", lambda x, y: (y, x)),
    "absorbing_product": _two("absorbing_product", lambda x, y: (y, x)),
    "divide": _infix("/", lambda x, y: (_div(1, y), _neg(_div(x, _mul(y, y))))),
    "floor_divide": _infix("//"),
    "remainder": _infix("%", lambda x, y: (1, _neg(Apply("floor_divide", (x, y))))),
    "mod": _two("mod", lambda x, y: (1, _neg(Apply("floor_divide", (x, y)))), "remainder"),
    "negative": Function("(-{})", slopes=lambda x: (-1,)),
    "positive": _one("positive", lambda x: 1),
    "absolute": _one("absolute", lambda x: Apply("sign", (x,)), "abs"),
    "sign": _one("sign"),
    "square": _one("square", lambda x: _mul(2, x)),
    "sqrt": _one("sqrt", lambda x: _div(0.5, _sqrt(x))),
    "cbrt": _one("cbrt", lambda x: _div(1, _mul(3, _square(Apply("cbrt", (x,)))))),
    "reciprocal": Function(  # · 1.0: of integers and booleans, m's is truncated and pg's is not
        "m.reciprocal({} * 1.0)", "pg.reciprocal({})", lambda x: (_neg(_div(1, _mul(x, x))),)
    ),
    "exp": _one("exp", _call("exp")),
    "exp2": _one("exp2", lambda x: _mul(0.6931471805599453, Apply("exp2", (x,)))),
    "expm1": _one("expm1", _call("exp")),
    "log": _one("log", lambda x: _div(1, x)),
    "log2": _one("log2", lambda x: _div(1.4426950408889634, x)),
    "log10": _one("log10", lambda x: _div(0.4342944819032518, x)),
    "log1p": _one("log1p", lambda x: _div(1, _add(1, x))),
    "sin": _one("sin", _call("cos")),
    "cos": _one("cos", lambda x: _neg(Apply("sin", (x,)))),
    "tan": _one("tan", lambda x: _add(1, _square(Apply("tan", (x,))))),
    "tanh": _one("tanh", lambda x: _sub(1, _square(Apply("tanh", (x,))))),
    "sinh": _one("sinh", _call("cosh")),
    "cosh": _one("cosh", _call("sinh")),
    "arcsin": _one("arcsin", lambda x: _div(1, _sqrt(_sub(1, _mul(x, x)))), "asin"),
    "arccos": _one("arccos", lambda x: _div(-1, _sqrt(_sub(1, _mul(x, x)))), "acos"),
    "arctan": _one("arctan", lambda x: _div(1, _add(1, _mul(x, x))), "atan"),
    "arcsinh": _one("arcsinh", lambda x: _div(1, _sqrt(_add(1, _mul(x, x)))), "asinh"),
    "arccosh": _one("arccosh", lambda x: _div(1, _sqrt(_sub(_mul(x, x), 1))), "acosh"),
    "arctanh": _one("arctanh", lambda x: _div(1, _sub(1, _mul(x, x))), "atanh"),
    "erf": _one("erf", lambda x: _mul(1.1283791670955126, Apply("exp", (_neg(_mul(x, x)),)))),
    "erfc": _one("erfc", lambda x: _mul(-1.1283791670955126, Apply("exp", (_neg(_mul(x, x)),)))),
    "floor": _one("floor"),
    "ceil": _one("ceil"),
    "trunc": _one("trunc"),
    "rint": _one("rint", None, "round"),
    "maximum": _two("maximum", _share("greater", "less_equal")),
    "minimum": _two("minimum", _share("less", "greater_equal")),
    "hypot": _two(
        "hypot", lambda x, y: (_div(x, Apply("hypot", (x, y))), _div(y, Apply("hypot", (x, y))))
    ),
    "arctan2": _two(
        "arctan2",
        lambda x, y: (
            _div(y, _add(_mul(x, x), _mul(y, y))),
            _neg(_div(x, _add(_mul(x, x), _mul(y, y)))),
        ),
        "atan2",
    ),
    "logaddexp": _two(
        "logaddexp",
        lambda x, y: (
            Apply("exp", (_sub(x, Apply("logaddexp", (x, y))),)),
            Apply("exp", (_sub(y, Apply("logaddexp", (x, y))),)),
        ),
    ),
    "power": _two(
        "power",
        lambda x, y: (
            _mul(y, Apply("power", (x, _sub(y, 1)))),
            _mul(Apply("log", (x,)), Apply("power", (x, y))),
        ),
        "pow",
    ),
    "where": Function(
        "m.where({}, {}, {})",
        "pg.where({}, {}, {})",
        lambda c, x, y: (0, _number(c), _number(Apply("logical_not", (c,)))),
        takes="bnn",
    ),
    "less": _infix("<", boolean=True),
    "less_equal": _infix("<=", boolean=True),
    "greater": _infix(">", boolean=True),
    "greater_equal": _infix(">=", boolean=True),
    "equal": _infix("==", boolean=True),
    "not_equal": _infix("!=", boolean=True),
    "isfinite": _asks("isfinite"),
    "isinf": _asks("isinf"),
    "isnan": _asks("isnan"),
    "logical_and": Function("({} & {})", boolean=True, takes="bb"),
    "logical_or": Function(
        "m.logical_or({}, {})", "pg.logical_or({}, {})", boolean=True, takes="bb"
    ),
    "logical_xor": Function("({} ^ {})", boolean=True, takes="bb"),
    "logical_not": Function("(~{})", boolean=True, takes="b"),
    # A condition used as a number: formulas let NumPy's promotion do it, derivatives cast.
    "number": Function("{}", "pg.cast({}, x.dtype)", takes="b"),
    "int32": Function("m.cast({}, pg.int32)", "pg.cast({}, pg.int32)"),
    "float32": Function("m.cast({}, pg.float32)", "pg.cast({}, pg.float32)", lambda x: (1,)),
    "float64": Function("m.cast({}, pg.float64)", "pg.cast({}, pg.float64)", lambda x: (1,)),
    "ones_like": _one("ones_like"),
    "zeros_like": _one("zeros_like"),
    "bitwise_and": _infix("&"),
    "bitwise_or": _infix("|"),
    "bitwise_xor": _infix("^"),
    "bitwise_invert": Function("(~{})"),
    "left_shift": _infix("<<"),
    "right_shift": _infix(">>"),
}
OF_INTEGERS = frozenset(
    "add subtract multiply floor_divide remainder mod negative positive absolute sign square floor "
    "ceil trunc maximum minimum where less less_equal greater greater_equal equal not_equal int32 "
    "logical_and logical_or logical_xor logical_not number ones_like zeros_like".split()
)
OF_BITS = frozenset(
    "bitwise_and bitwise_or bitwise_xor bitwise_invert left_shift right_shift".split()
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
        term = _times(outer, slope(x, name))
        if not _is(term, 0):
            total = term if _is(total, 0) else _add(total, term)
    return total


def _is(e: Expression, number: int) -> bool:
    return type(e) is int and e == number


def _times(outer: Expression, inner: Expression) -> Expression:
    """outer · inner, by a choice where outer is 0 or 1: nothing flows from what isn't chosen."""
    if _is(outer, 0) or _is(inner, 0):
        return 0
    if _is(outer, 1) or _is(inner, 1):
        return inner if _is(outer, 1) else outer
    if isinstance(outer, Apply) and outer.name == "number":
        return Apply("where", (*outer.arguments, inner, 0))
    return _mul(outer, inner)


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
    return (
        f"class Formula{hashlib.sha256(body.encode()).hexdigest()[:8]}(pg.Elementwise):\n{body}\n"
    )


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
    """The text of an operation on one to three inputs; nearly always it uses all of them.

    Some take any numbers, some make integers floats first, some are meant for integers.
    """
    inputs = ("x", "y", "z")[: rng.choice([1, 1, 2, 2, 3])]
    kind = rng.choice(["any", "floats", "integers"], p=[0.2, 0.5, 0.3])
    allowed = OF_INTEGERS | OF_BITS if kind == "integers" else set(FUNCTIONS) - OF_BITS
    names = [name for name in FUNCTIONS if name in allowed]
    e = _random(rng, int(rng.integers(1, 5)), names, inputs, boolean=bool(rng.random() < 0.1))
    for one in inputs:
        if one not in _inputs_of(e) and rng.random() < 0.95:
            e = (
                Apply("logical_and", (e, Apply("equal", (one, one))))
                if _boolean(e)
                else _add(e, one)
            )
    return source(e, inputs, floats=kind == "floats")


def _inputs_of(e: Expression) -> set[str]:
    if isinstance(e, Apply):
        return {one for x in e.arguments for one in _inputs_of(x)}
    return {e} if isinstance(e, str) else set()


def _boolean(e: Expression) -> bool:
    return isinstance(e, Apply) and FUNCTIONS[e.name].boolean


def _random(
    rng: np.random.Generator,
    depth: int,
    names: list[str],
    inputs: tuple[str, ...],
    *,
    boolean: bool,
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
