"""Code: an expression that knows how it is written, and the maths namespace that makes such.

Formulas are generic in `m`. Called with `Writer` and Code in place of NumPy and arrays, a formula
tells its own text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import EllipsisType
from typing import Any

import numpy as np

from ....dtypes import DType, bool_, float16, float64, int64
from ....maths import numpy_maths
from ....maths.operands import Operand
from ....maths.protocol import ARRAYS, ELEMENTWISE
from ....shapes import Shape
from ....sums import multiplies_plainly, sums_plainly
from .text import ATOM, COMPARE, LEVELS, UNARY, Text, after, bracketed, infix, keyword, prefix


class Unwritable(Exception):
    """A formula asked for more than an expression knows."""


class Code(Operand):
    """An expression: what it is made of, and how it is written from the texts of those.

    `shape` and `dtype` are known of what stands for a node.
    """

    shape: Shape
    dtype: DType
    ndim: int
    name: str = ""  # what a statement calls it, if it needs one
    named: bool = False  # whether it deserves a statement of its own
    of: Code | None = None  # whose gradient it is, if that has no name before it is written
    stage: tuple[int, int] = (0, 0)
    comment: str = ""
    where: str = ""  # what stands above the statement: the user's line and the mathematics
    scalar: float  # of a number
    atom: bool = False  # a name or a number, which needs no statement
    light: bool = False  # costs nothing, so that it may be written twice

    def __init__(self, operands: Sequence[Code], write: Callable[..., Text]) -> None:
        self.operands = tuple(operands)
        self.write = write

    def __getattr__(self, name: str) -> Any:  # only for what isn't there
        raise Unwritable(f"{name} of an expression")

    def __bool__(self) -> bool:
        raise Unwritable("a decision")

    def __iter__(self) -> Any:
        raise Unwritable("a loop")

    def __getitem__(self, index: Any) -> Code:
        if isinstance(index, Code):
            raise Unwritable("an index that is computed")
        suffix = f"[{index_text(index)}]"
        return Code([self], lambda x: after(x, suffix))

    def applied(self, name: str, *operands: Any) -> Code:
        if name in _PREFIX:
            return one(_PREFIX[name], *operands)
        if name in _OPERATORS:
            return two(_OPERATORS[name], *operands)
        return call("np.abs", *operands)  # the one operator that has no sign

    def __pow__(self, y: Any) -> Code:
        return two("**", self, y)


def atom(text: str, level: int = ATOM) -> Code:
    """A name or a number."""
    made = Code([], lambda: Text(text, level))
    made.atom = True
    return made


def two(operator: str, x: Any, y: Any) -> Code:
    """x operator y; a comparison of x with itself, which finds NaN, as a call that says so."""
    if x is y and LEVELS[operator] == COMPARE:
        return call(_CALLS[operator], x, y)
    return Code([as_code(x), as_code(y)], lambda x, y: infix(operator, x, y))


def one(operator: str, x: Any) -> Code:
    """-x, +x or ~x."""
    return Code([as_code(x)], lambda x: prefix(operator, x))


def as_code(value: Any) -> Code:
    """A number or a dtype as Code, Code as it is; a number of NumPy's keeps its dtype."""
    if isinstance(value, Code):
        return value
    if isinstance(value, np.generic):
        return atom(_typed(value))
    text = plain(value)
    return atom(text, UNARY if text.startswith("-") else ATOM)


def _typed(value: np.generic) -> str:
    return f"np.{dtype_name(value.dtype)}({number_text(value)})"


def plain(value: Any) -> str:
    """What isn't an array: a number, dtype, slice, None, …, or a tuple or list of these."""
    if isinstance(value, np.dtype):
        return f"np.{dtype_name(value)}"
    if isinstance(value, (bool, int)) or value is None:
        return repr(value)
    if isinstance(value, float):
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
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    raise Unwritable(f"{value!r:.60}")


def dtype_name(dtype: DType) -> str:
    """float32, int64, bool_ …: what to put after `np.`."""
    return "bool_" if dtype == bool_ else dtype.name


def number_text(value: Any) -> str:
    """A Python number, or the shortest text that gives back a NumPy float's bits."""
    if isinstance(value, (bool, np.bool_, int, np.integer)):
        return repr(value.item() if isinstance(value, np.generic) else value)
    if np.isnan(value):
        return "np.nan"
    if np.isinf(value):
        return "np.inf" if value > 0 else "-np.inf"
    if isinstance(value, np.floating):
        short = str(value)
        return short if type(value)(float(short)) == value else repr(float(value))
    return repr(value)


def index_text(index: Any) -> str:
    """What stands between the brackets of x[…]."""
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
    """An argument: Code by its text, tuples and lists of such, all else plain."""
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
        return [x for one in value for x in codes_in(one)]
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
_ROOTS = (-1, 0, 0.5, 1, 2)  # exponents for which arrays take another way than np.power


class Writer:
    """A maths namespace that writes: `Writer().tanh(x)` is the Code np.tanh(x).

    What NumPy hasn't goes to `helper`, which is given its name and gives the name to call.
    """

    def __init__(self, helper: Callable[[str], str]) -> None:
        self._helper = helper

    def __getattr__(self, name: str) -> Callable[..., Code]:
        if name not in ELEMENTWISE and name not in ARRAYS:
            raise Unwritable(f"m.{name}")
        return lambda *x, **options: self._call(name, x, options)

    def _call(self, name: str, x: tuple[Any, ...], options: dict[str, Any]) -> Code:
        if len(x) == 2 and not options and name in _INFIX:
            return two(_INFIX[name], *x)
        if len(x) == 1 and not options and name in _PREFIX:
            return one(_PREFIX[name], *x)
        if name in _SPECIAL and (found := _SPECIAL[name](*x, **options)) is not None:
            return found
        kept = _unlike_defaults(options)
        if getattr(np, name, None) is getattr(numpy_maths, name):
            return call("np." + getattr(np, name).__name__, *x, **kept)
        return call(self._helper(name), *x, **kept)


def _known(x: Any) -> bool:
    """Whether the shape and dtype of an expression are known: it stands for a node."""
    return isinstance(x, Code) and "shape" in vars(x)


def _sum(x: Any, axis: Any = None, keepdims: bool = False) -> Code | None:
    """np.sum where it adds as `blocked_sum` does."""
    plainly = _known(x) and sums_plainly(x.shape, x.dtype, axis)
    return _reduced("np.sum", x, axis, keepdims) if plainly else None


def _prod(x: Any, axis: Any = None, keepdims: bool = False) -> Code | None:
    """np.prod but of half floats."""
    plainly = _known(x) and x.dtype != float16
    return _reduced("np.prod", x, axis, keepdims) if plainly else None


def _reduced(function: str, x: Code, axis: Any, keepdims: bool) -> Code:
    options = {"axis": axis, "keepdims": keepdims}
    return call(function, x, **_unlike_defaults(options))


def _unlike_defaults(options: dict[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in options.items() if _DEFAULTS.get(key, 0) is not one}


def _matmul(x: Any, y: Any) -> Code | None:
    return two("@", x, y) if _known(x) and multiplies_plainly(x.shape, x.dtype) else None


def _power(x: Any, y: Any) -> Code | None:
    """x**y where an array and a number give what np.power gives."""
    number = getattr(y, "scalar", None) if isinstance(y, Code) and "scalar" in vars(y) else None
    known = _known(x) and x.shape
    return two("**", x, y) if known and number is not None and number not in _ROOTS else None


def _cast(x: Any, dtype: Any) -> Code | None:
    """x.astype(dtype), but for floats that become integers, which not every CPU does alike."""
    if dtype.kind in "iu" and (not _known(x) or x.dtype.kind == "f"):
        return None
    return Code([x], lambda x: after(x, f".astype({plain(dtype)})"))


def _transpose(x: Any, axes: Any = None) -> Code | None:
    if vars(x).get("ndim") == 2 and axes in (None, (1, 0)):
        return _view(x, ".T")
    return call("np.transpose", x) if axes is None else None


def _swapaxes(x: Any, one: int, other: int) -> Code | None:
    if {one, other} != {-1, -2}:
        return None
    suffix = ".T" if vars(x).get("ndim") == 2 else ".mT"
    return _view(x, suffix)


def _view(x: Code, suffix: str) -> Code:
    made = Code([x], lambda x: after(x, suffix))
    made.light = True
    return made


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
    """A single number; `typed` where nothing around it gives it its dtype."""
    text = number_text(dtype.type(value))
    if typed and dtype not in (float64, int64, bool_):
        made = atom(f"np.{dtype_name(dtype)}({text})")
    else:
        made = atom(text, UNARY if text.startswith("-") else ATOM)
        made.scalar = dtype.type(value).item()
    return made
