"""`Code`: an expression tree that can be written as Python, and `Writer`, which builds it.

Formulas are generic in the maths namespace `m`. Called with a `Writer` and Code instead of NumPy
and arrays, a formula returns its own expression tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from types import EllipsisType
from typing import Any

import numpy as np

from ....dtypes import DType, bool_, float16, float64, int64, is_floating, is_integer
from ....maths import numpy_maths
from ....maths.operands import Operand
from ....maths.protocol import ARRAYS, ELEMENTWISE, LIBRARY
from ....shapes import Shape
from ....sums import multiplies_plainly, sums_plainly
from .text import ATOM, COMPARE, LEVELS, UNARY, Text, after, bracketed, infix, keyword, prefix


class Unwritable(Exception):
    """Raised if a formula needs more than an expression provides, such as a value."""


class Code(Operand):
    """An expression: its operands, and a function that writes it from the operands' texts.

    `shape`, `dtype` and `ndim` are set only if the expression represents a node.
    """

    shape: Shape
    dtype: DType
    ndim: int
    name: str = ""  # the name of its statement, if it has one
    named: bool = False  # whether it must have a statement of its own
    of: Code | None = None  # the target of this gradient, if its name is not known yet
    stage: tuple[int, int] = (0, 0)
    comment: str = ""
    where: str = ""  # the comment above the statement: source line and derivative
    scalar: float  # the value of a literal
    atom: bool = False  # whether it is a name or a number, which needs no statement
    light: bool = False  # whether it costs nothing, so that it may be written twice

    def __init__(self, operands: Sequence[Code], write: Callable[..., Text]) -> None:
        self.operands = tuple(operands)
        self.write = write

    def __getattr__(self, name: str) -> Any:  # only called for missing attributes
        raise Unwritable(f"{name} of an expression")

    def __bool__(self) -> bool:
        raise Unwritable("a decision")

    def __iter__(self) -> Any:
        raise Unwritable("a loop")

    def __getitem__(self, index: Any) -> Code:
        if isinstance(index, Code):
            raise Unwritable("a computed index")
        suffix = f"[{index_text(index)}]"
        return Code([self], lambda x: after(x, suffix))

    def applied(self, name: str, *operands: Any) -> Code:
        if name in _PREFIX:
            return unary(_PREFIX[name], *operands)
        if name in _OPERATORS:
            return binary(_OPERATORS[name], *operands)
        return call("np.abs", *operands)  # the only operator without a sign

    def __pow__(self, y: Any) -> Code:
        return binary("**", self, y)


def atom(text: str, level: int = ATOM) -> Code:
    """A name or a number."""
    code = Code([], lambda: Text(text, level))
    code.atom = True
    return code


def binary(operator: str, x: Any, y: Any) -> Code:
    """x operator y. A comparison of x with itself, which tests for NaN, is written as a call."""
    if x is y and LEVELS[operator] == COMPARE:
        return call(_CALLS[operator], x, y)
    return Code([as_code(x), as_code(y)], lambda x, y: infix(operator, x, y))


def unary(operator: str, x: Any) -> Code:
    """-x, +x or ~x."""
    return Code([as_code(x)], lambda x: prefix(operator, x))


def as_code(value: Any) -> Code:
    """Code unchanged; a number or a dtype as Code. A NumPy scalar keeps its dtype."""
    if isinstance(value, Code):
        return value
    if isinstance(value, np.generic):
        return atom(_typed(value))
    text = plain(value)
    return atom(text, UNARY if text.startswith("-") else ATOM)


def _typed(value: np.generic) -> str:
    return f"np.{dtype_name(value.dtype)}({number_text(value)})"


def plain(value: Any) -> str:
    """The text of a value that is no array: a number, dtype, slice, None, …, string, or a tuple or
    list of these. Raises Unwritable for any other."""
    if isinstance(value, np.dtype):
        return f"np.{dtype_name(value)}"
    if isinstance(value, (bool, int)) or value is None:
        return repr(value)
    if isinstance(value, (float, complex)):
        return number_text(value)
    if isinstance(value, (np.integer, np.floating, np.bool_)):
        return plain(value.item())
    if isinstance(value, EllipsisType):
        return "..."
    if isinstance(value, slice):
        return f"slice({plain(value.start)}, {plain(value.stop)}, {plain(value.step)})"
    if isinstance(value, tuple):
        inner = ", ".join(map(plain, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, list):
        return f"[{', '.join(map(plain, value))}]"
    if isinstance(value, str):
        text = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) + '"'
    raise Unwritable(f"{value!r:.60}")


def dtype_name(dtype: DType) -> str:
    """The name of a dtype in NumPy's namespace: float32, int64, bool_, …"""
    return "bool_" if dtype == bool_ else dtype.name


def number_text(value: Any) -> str:
    """The shortest text of a number that reproduces its bits."""
    if isinstance(value, (bool, np.bool_, int, np.integer)):
        return repr(value.item() if isinstance(value, np.generic) else value)
    if isinstance(value, (complex, np.complexfloating)):  # a sum would lose the signs of zeros
        return f"complex({number_text(value.real)}, {number_text(value.imag)})"
    if np.isnan(value):
        return "np.nan"
    if np.isinf(value):
        return "np.inf" if value > 0 else "-np.inf"
    if isinstance(value, np.floating):
        short = str(value)
        value = short if type(value)(float(short)) == value else float(value)
    text = str(value).replace("e+", "e")  # as formatters of Python write exponents
    if text.endswith("j)"):
        text = re.sub(r"(?<=[^e(])([+-])", r" \1 ", text)  # (0.5 + 1e-05j)
    return text


def index_text(index: Any) -> str:
    """The text between the brackets of x[…]."""
    parts = index if isinstance(index, tuple) else (index,)
    texts = [_part(part) for part in parts]
    return "()" if not texts else ", ".join(texts)


def _part(part: Any) -> str:
    if isinstance(part, slice):
        ends = ["" if end is None else str(end) for end in (part.start, part.stop)]
        return ":".join(ends) + ("" if part.step is None else f":{part.step}")
    return plain(part)


# ---------------------------------------------------------------- values in calls


def value_text(value: Any, texts: dict[int, Text]) -> Text:
    """The text of an argument: Code from `texts`, tuples and lists of Code, or `plain`."""
    if isinstance(value, Code):
        return texts[id(value)]
    if isinstance(value, (tuple, list)) and any(isinstance(x, Code) for x in value):
        parts = [value_text(x, texts) for x in value]
        return bracketed(*("(", parts, ")") if isinstance(value, tuple) else ("[", parts, "]"))
    text = _typed(value) if isinstance(value, np.generic) else plain(value)
    return Text(text, UNARY if text.startswith("-") else ATOM)


def codes_in(value: Any) -> list[Code]:
    """The Code in an argument."""
    if isinstance(value, (tuple, list)):
        return [x for item in value for x in codes_in(item)]
    return [value] if isinstance(value, Code) else []


def call(function: str, *arguments: Any, **keywords: Any) -> Code:
    """function(*arguments, **keywords)."""
    operands = codes_in([*arguments, *keywords.values()])

    def write(*given: Text) -> Text:
        texts = {id(code): text for code, text in zip(operands, given, strict=True)}
        parts = [value_text(x, texts) for x in arguments]
        parts += [keyword(name, value_text(x, texts)) for name, x in keywords.items()]
        return bracketed(f"{function}(", parts, ")", call=True)

    return Code(operands, write)


# ---------------------------------------------------------------- the maths namespace

_INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "floor_divide": "//", "mod": "%",
    "equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">",
    "greater_equal": ">=", "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^",
    "left_shift": "<<", "right_shift": ">>",
}  # fmt: skip
_OPERATORS = {**_INFIX, "power": "**"}
_CALLS = {operator: f"np.{name}" for name, operator in _INFIX.items()}
_PREFIX = {"negative": "-", "positive": "+", "bitwise_invert": "~"}
_DEFAULTS = {"axis": None, "keepdims": False}
_ROOTS = (-1, 0, 0.5, 1, 2)  # exponents for which x**y is not computed by np.power


class Writer:
    """A maths namespace that returns Code: `Writer(helper).tanh(x)` is the Code np.tanh(x).

    For a function that NumPy lacks, `helper(name)` returns the name of a helper function to call.
    """

    def __init__(self, helper: Callable[[str], str]) -> None:
        self._helper = helper

    def __getattr__(self, name: str) -> Callable[..., Code]:
        if name not in ELEMENTWISE and name not in ARRAYS and name not in LIBRARY:
            raise Unwritable(f"m.{name}")
        return lambda *x, **options: self._call(name, x, options)

    def _call(self, name: str, x: tuple[Any, ...], options: dict[str, Any]) -> Code:
        if len(x) == 2 and not options and name in _INFIX:
            return binary(_INFIX[name], *x)
        if len(x) == 1 and not options and name in _PREFIX:
            return unary(_PREFIX[name], *x)
        if name in _SPECIAL and (code := _SPECIAL[name](*x, **options)) is not None:
            return code
        given = _unlike_defaults(options)
        if getattr(np, name, None) is getattr(numpy_maths, name):
            return call("np." + getattr(np, name).__name__, *x, **given)
        return call(self._helper(name), *x, **given)


def _known(x: Any) -> bool:
    """Whether the expression represents a node, so that its shape and dtype are known."""
    return isinstance(x, Code) and "shape" in vars(x)


def _sum(x: Any, axis: Any = None, keepdims: bool = False) -> Code | None:
    """np.sum(x) if it adds in the same order as `blocked_sum`, else None."""
    plainly = _known(x) and sums_plainly(x.shape, x.dtype, axis)
    return _reduced("np.sum", x, axis, keepdims) if plainly else None


def _prod(x: Any, axis: Any = None, keepdims: bool = False) -> Code | None:
    """np.prod(x), or None for float16, whose product is accumulated in a wider dtype."""
    plainly = _known(x) and x.dtype != float16
    return _reduced("np.prod", x, axis, keepdims) if plainly else None


def _reduced(function: str, x: Code, axis: Any, keepdims: bool) -> Code:
    options = {"axis": axis, "keepdims": keepdims}
    return call(function, x, **_unlike_defaults(options))


def _unlike_defaults(options: dict[str, Any]) -> dict[str, Any]:
    """The options that differ from NumPy's defaults."""
    return {key: v for key, v in options.items() if _DEFAULTS.get(key, 0) is not v}


def _matmul(x: Any, y: Any) -> Code | None:
    return binary("@", x, y) if _known(x) and multiplies_plainly(x.shape, x.dtype) else None


def _power(x: Any, y: Any) -> Code | None:
    """x**y if x is an array and y a number for which that equals np.power(x, y); else None."""
    number = getattr(y, "scalar", None) if isinstance(y, Code) and "scalar" in vars(y) else None
    known = _known(x) and x.shape
    return binary("**", x, y) if known and number is not None and number not in _ROOTS else None


def _cast(x: Any, dtype: Any) -> Code | None:
    """x.astype(dtype), or None for floats to integers, whose overflow depends on the CPU."""
    if is_integer(dtype) and (not _known(x) or is_floating(x.dtype)):
        return None
    return Code([x], lambda x: after(x, f".astype({plain(dtype)})"))


def _transpose(x: Any, axes: Any = None) -> Code | None:
    if vars(x).get("ndim") == 2 and axes in (None, (1, 0)):
        return _view(x, ".T")
    return call("np.transpose", x) if axes is None else None


def _swapaxes(x: Any, axis: int, other: int) -> Code | None:
    if {axis, other} != {-1, -2}:
        return None
    suffix = ".T" if vars(x).get("ndim") == 2 else ".mT"
    return _view(x, suffix)


def _view(x: Code, suffix: str) -> Code:
    code = Code([x], lambda x: after(x, suffix))
    code.light = True
    return code


_SPECIAL: dict[str, Callable[..., Code | None]] = {
    "power": _power,
    "cast": _cast,
    "matmul": _matmul,
    "prod": _prod,
    "sum": _sum,
    "transpose": _transpose,
    "swapaxes": _swapaxes,
    "slice_of": lambda x, index: x[index],
    "absolute": lambda x: call("np.abs", x),
}


def literal(value: Any, dtype: DType, *, typed: bool) -> Code:
    """A scalar literal; `typed` writes its dtype, unless it is the default one."""
    text = number_text(dtype.type(value))
    if typed and dtype not in (float64, int64, bool_):
        code = atom(f"np.{dtype_name(dtype)}({text})")
    else:
        code = atom(text, UNARY if text.startswith("-") else ATOM)
        code.scalar = dtype.type(value).item()
    return code
