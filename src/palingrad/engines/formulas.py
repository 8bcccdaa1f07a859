"""Reads elementwise formulas as steps: the functions of `m` that they apply, with their dtypes.

A formula is called once with symbolic operands, which record the functions applied to them. Each
step is one NumPy loop. The dtypes of its operands and result are those of NumPy
(`ufunc.resolve_dtypes`): Python numbers are weak, NumPy's scalars aren't, and mixed dtypes are
promoted as in NumPy. A formula that can't be read is refused with a reason: a branch on values, an
index, a function of more than one element, an exception.

A formula must depend only on its arguments and the node's attributes. It is read once for each
Program that is compiled, so any other value that it reads is fixed at that time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NoReturn

import numpy as np

from ..classes import NamedTuple
from ..dtypes import DType, bool_, is_floating
from ..graph.kinds import Elementwise
from ..graph.node import Node
from ..maths import numpy_maths
from ..maths.operands import Operand
from ..maths.protocol import ARRAYS, ELEMENTWISE, LIBRARY

# The functions of `m` that are NumPy ufuncs, some under another name.
_UFUNCS = {getattr(np, name): name for name in ELEMENTWISE if hasattr(np, name)}
# Functions of `m` that NumPy lacks, and ufuncs that have the same loops.
_LIKE = {"absorbing_product": np.multiply, "erf": np.exp, "erfc": np.exp}


class Number(NamedTuple):
    """A constant of a formula, compared by its bits: −0.0 differs from 0.0, and NaN equals NaN."""

    bits: bytes
    dtype: DType

    @property
    def value(self) -> Any:
        """The number as a NumPy scalar."""
        return np.frombuffer(self.bits, self.dtype)[0]


class Step(NamedTuple):
    """A function of `m` applied to operands: indices of arguments and earlier steps, and numbers.

    Each operand is first converted to its entry in `dtypes`.
    """

    name: str
    operands: tuple[int | Number, ...]
    dtypes: tuple[DType, ...]
    result: DType

    def taken(self) -> list[tuple[int | Number, DType]]:
        """The operands, each with the dtype to which it is converted."""
        return list(zip(self.operands, self.dtypes, strict=True))


class Formula(NamedTuple):
    """A formula as a list of steps. Operands are numbered: first the arguments, then the steps."""

    arguments: int
    steps: tuple[Step, ...]
    result: int | Number
    dtype: DType


class Refused(Exception):
    """Raised, with the reason, for a formula that can't be read and that only NumPy can compute."""

    several = False  # True if the reason is that the formula returns a tuple


def read(node: Elementwise) -> Formula:
    """The steps of a node's formula; the dtypes of its inputs must be known. Raises Refused.

    The result of the steps has the node's dtype and, after broadcasting, its shape.
    """
    if not node._plain:
        raise Refused("isn't used: the class has a compute of its own")
    if type(node).shape_rule is not Elementwise.shape_rule:
        raise Refused("doesn't determine the shape: the class has a shape_rule of its own")
    formula = read_function(node.f, [x.dtype for x in node.inputs], node.attributes)
    if formula.dtype != node.dtype:
        raise Refused(f"gives {formula.dtype}, dtype_rule says {node.dtype}")
    return formula


def read_function(
    f: Callable[..., Any], dtypes: Sequence[DType | None], options: Mapping[str, Any]
) -> Formula:
    """The steps of f(m, *x, **options) on arguments of these dtypes. Raises Refused."""
    reader = _Reader()
    arguments = [_Read(reader, place, dtype) for place, dtype in enumerate(dtypes)]
    reader.places = len(arguments)
    try:
        with np.errstate(all="ignore"):
            result: Any = f(reader, *arguments, **options)
    except Refused:
        result = None
    except Exception as error:  # a user's formula may raise anything for symbolic operands
        if not reader.refusal:
            raise Refused(f"raises {type(error).__name__}: {error}") from error
        result = None
    if reader.refusal:  # even if the formula caught the exception and continued differently
        raise Refused(reader.refusal)
    if not isinstance(result, _Read):
        refused = Refused(f"gives {_described(result)}, which doesn't depend on its arguments")
        refused.several = isinstance(result, tuple)
        raise refused
    return Formula(len(arguments), tuple(reader.steps), result.place, result.dtype)


def readable(node: Node) -> Formula | None:
    """The steps of an elementwise node's formula; None for other nodes, and if it can't be read."""
    try:
        return read(node) if isinstance(node, Elementwise) else None
    except Refused:
        return None


@cache
def loop(name: str, kinds: tuple[Any, ...]) -> tuple[DType, ...]:
    """(dtype of each operand, …, dtype of the result) of NumPy's loop for a function.

    `kinds` are the dtypes of the operands, or `int` and `float` for Python numbers. Raises
    TypeError if NumPy has no loop for them.
    """
    ufunc = _LIKE.get(name) or getattr(np, name)
    if len(kinds) != ufunc.nin:
        raise TypeError(f"it takes {ufunc.nin} operands")
    *taken, result = ufunc.resolve_dtypes((*kinds, None))
    if name == "divide":  # a loop from integers to floats converts before it divides
        taken = [result] * 2
    return *taken, result


def _described(x: Any) -> str:
    return (
        f"{type(x).__name__} {x!r:.40}" if isinstance(x, (bool, int, float)) else type(x).__name__
    )


class _Reader:
    """A namespace `m` that records steps instead of computing."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.places = 0
        self.refusal = ""

    def __getattr__(self, name: str) -> Any:
        if name in ELEMENTWISE:
            return lambda *operands, **options: self.apply(name, operands, options)
        if name in ARRAYS:
            self.refuse(f"calls m.{name}, which sees more than one element")
        if name in LIBRARY:
            self.refuse(f"calls m.{name}, which only NumPy computes")
        raise AttributeError(f"m has no {name}")

    def refuse(self, reason: str) -> NoReturn:
        """Raise Refused, and record the reason, because the formula might catch the exception."""
        self.refusal = self.refusal or reason
        raise Refused(reason)

    def apply(self, name: str, operands: Sequence[Any], options: dict[str, Any]) -> Any:
        """Record a step. A function of numbers only is computed at once, by NumPy."""
        if options:
            self.refuse(f"calls m.{name} with {', '.join(f'{option}=' for option in options)}")
        if name == "cast":
            return self._cast(*operands)
        if not any(isinstance(x, _Read) for x in operands):
            return getattr(numpy_maths, name)(*operands)
        if name in ("ones_like", "zeros_like") and len(operands) == 1:
            dtype = operands[0].dtype
            return _Read(self, _number(name == "ones_like", dtype), dtype)
        try:
            *dtypes, result = (
                self._where(*operands) if name == "where" else self._loop(name, operands)
            )
            places = [_place(x, dtype) for x, dtype in zip(operands, dtypes, strict=True)]
        except Refused:
            raise
        except (TypeError, ValueError, OverflowError) as error:  # a run will raise NumPy's error
            self.refuse(f"calls m.{name}, where NumPy raises {type(error).__name__}: {error}")
        return self._noted(name, places, dtypes, result)

    def _loop(self, name: str, operands: Sequence[Any]) -> tuple[DType, ...]:
        dtypes = loop(name, tuple(map(self._kind, operands)))
        if len(set(dtypes[:-1])) > 1:
            self.refuse(f"calls m.{name} on {' and '.join(map(str, dtypes[:-1]))}")
        return dtypes

    def _where(self, condition: Any, x: Any, y: Any) -> tuple[DType, ...]:
        self._kind(condition)
        kinds = [self._kind(x), self._kind(y)]
        pair = zip((x, y), kinds, strict=True)
        result = np.result_type(*(one if isinstance(kind, type) else kind for one, kind in pair))
        return bool_, result, result, result

    def _cast(self, x: Any, dtype: Any) -> Any:
        dtype = np.dtype(dtype)
        if not isinstance(x, _Read):
            return numpy_maths.cast(x, dtype)
        return x if dtype == x.dtype else self._noted("cast", [x.place], [x.dtype], dtype)

    def _noted(self, name: str, places: Any, dtypes: Any, result: DType) -> _Read:
        self.steps.append(Step(name, tuple(places), tuple(dtypes), result))
        return _Read(self, self.places + len(self.steps) - 1, result)

    def _kind(self, x: Any) -> Any:
        """An operand's dtype, or for a Python number its type, as input of NumPy's promotion."""
        if isinstance(x, (_Read, np.generic)):
            return x.dtype
        if isinstance(x, np.ndarray) and not x.ndim:
            return x.dtype  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if type(x) in (int, float):
            return type(x)  # pyright: ignore[reportUnknownVariableType]
        return bool_ if type(x) is bool else self.refuse(f"computes with {_described(x)}")


def _number(x: Any, dtype: DType) -> Number:
    """A constant of the formula, converted to `dtype` by NumPy's rules."""
    array = x.astype(dtype) if isinstance(x, (np.generic, np.ndarray)) else np.array(x, dtype)
    return Number(array.tobytes(), dtype)


def _place(x: Any, dtype: DType) -> int | Number:
    if not isinstance(x, _Read):
        return _number(x, dtype)
    return _number(x.place.value, dtype) if isinstance(x.place, Number) else x.place


def _refusing(reason: str) -> Any:
    return lambda self, *_, **__: self._reader.refuse(reason)


class _Read(Operand):
    """A symbolic operand: an argument or the result of a step, with its dtype and its number."""

    def __init__(self, reader: _Reader, place: int | Number, dtype: Any) -> None:
        self._reader, self.place, self.dtype = reader, place, dtype

    def applied(self, name: str, *operands: Any) -> Any:
        return getattr(self._reader, name)(*operands)

    def __pow__(self, other: Any) -> Any:
        """xʸ. For floats and the Python number 0.5, NumPy computes √x, which is NaN for −∞."""
        if type(other) is float and other == 0.5 and is_floating(self.dtype):
            return self.applied("sqrt", self)
        return super().__pow__(other)

    __bool__ = __float__ = __int__ = __index__ = __complex__ = _refusing("decides by values")
    __len__ = __iter__ = __contains__ = __reversed__ = _refusing("counts its elements")
    __getitem__ = __setitem__ = _refusing("takes an index")
    __array__ = _refusing("makes an array of its argument")
    __round__ = __divmod__ = __rdivmod__ = _refusing("calls a function that m lacks")
    __iadd__ = __isub__ = __imul__ = __itruediv__ = _refusing("writes over an array")
    __ifloordiv__ = __imod__ = __ipow__ = __imatmul__ = _refusing("writes over an array")
    __iand__ = __ior__ = __ixor__ = __ilshift__ = __irshift__ = _refusing("writes over an array")

    def astype(self, dtype: Any) -> Any:
        """The operand converted to another dtype."""
        return self._reader.cast(self, dtype)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # protocols that Python and NumPy look for
            raise AttributeError(name)
        self._reader.refuse(f"asks for .{name}")

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
        if method != "__call__" or ufunc not in _UFUNCS:
            self._reader.refuse(f"calls np.{ufunc.__name__}")
        return self._reader.apply(_UFUNCS[ufunc], operands, options)

    def __array_function__(self, function: Any, kinds: Any, operands: Any, options: Any) -> Any:
        if function is np.where and len(operands) == 3:
            return self._reader.apply("where", operands, options)
        self._reader.refuse(f"calls np.{function.__name__}")
