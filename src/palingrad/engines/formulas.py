"""Elementwise formulas read as steps: which functions of `m` they apply, on which dtypes.

A formula is called once with operands that compute nothing and note what is done to them. Each step
is one loop of NumPy's: the dtype in which it takes its operands and that of its result are what
NumPy says (`ufunc.resolve_dtypes`), so that numbers written in the formula are weak, NumPy's own
are not, and mixed dtypes meet where NumPy has them meet. What can't be read so is refused with the
reason: a decision by values, an index, a function that sees shapes, whatever the formula raises.

A formula must depend on its arguments and the node's attributes alone. One that reads something
else is read anew for every Program that is compiled, and keeps what it found there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ..dtypes import DType, bool_
from ..graph.kinds import Elementwise
from ..graph.node import Node
from ..maths import numpy_maths
from ..maths.operands import Operand
from ..maths.protocol import ARRAYS, ELEMENTWISE

# The functions of `m` that are NumPy's ufuncs; some have two names there.
_UFUNCS = {getattr(np, name): name for name in ELEMENTWISE if name not in ("cast", "erf", "erfc")}


class Number(NamedTuple):
    """A number of a formula, by its bits: −0.0 is another than 0.0, and NaN the same as itself."""

    bits: bytes
    dtype: DType

    @property
    def value(self) -> Any:
        """The number as NumPy's."""
        return np.frombuffer(self.bits, self.dtype)[0]


class Step(NamedTuple):
    """A function of `m` on arguments and results of earlier steps, by their places, and numbers;
    each is brought to its entry of `dtypes` first."""

    name: str
    operands: tuple[int | Number, ...]
    dtypes: tuple[DType, ...]
    result: DType

    def taken(self) -> list[tuple[int | Number, DType]]:
        """The operands, and the dtype in which each is taken."""
        return list(zip(self.operands, self.dtypes, strict=True))


class Formula(NamedTuple):
    """What a formula does: places count the arguments first, then the steps."""

    arguments: int
    steps: tuple[Step, ...]
    result: int | Number
    dtype: DType


class Refused(Exception):
    """Only NumPy can do what the formula asks for; the text says what that is."""


def read(node: Elementwise) -> Formula:
    """The steps of a node's formula, whose inputs' dtypes are known; broadcast, the result has the
    node's shape, and its dtype anyhow. Raises Refused."""
    if not node._plain:
        raise Refused("isn't what computes it: it has a compute of its own")
    if type(node).shape_rule is not Elementwise.shape_rule:
        raise Refused("doesn't say its shape: it has a shape_rule of its own")
    reader = _Reader()
    arguments = [_Read(reader, place, x.dtype) for place, x in enumerate(node.inputs)]
    reader.places = len(arguments)
    try:
        with np.errstate(all="ignore"):
            result: Any = node.f(reader, *arguments, **node.attributes)
    except Refused:
        result = None
    except Exception as error:  # whatever a user's formula raises on what isn't an array
        if not reader.refusal:
            raise Refused(f"raises {type(error).__name__}: {error}") from error
        result = None
    if reader.refusal:  # even if the formula caught it: it then did something else
        raise Refused(reader.refusal)
    if not isinstance(result, _Read):
        raise Refused(f"gives {_described(result)}, nothing made of its arguments")
    if result.dtype != node.dtype:
        raise Refused(f"gives {result.dtype}, dtype_rule says {node.dtype}")
    return Formula(len(arguments), tuple(reader.steps), result.place, result.dtype)


def readable(node: Node) -> Formula | None:
    """The steps of an elementwise node's formula; None of what has none, or none to be read."""
    try:
        return read(node) if isinstance(node, Elementwise) else None
    except Refused:
        return None


@cache
def loop(name: str, kinds: tuple[Any, ...]) -> tuple[DType, ...]:
    """The dtypes in which NumPy computes a function, and that of the result, from those of its
    operands; a Python number is `int` or `float`. Raises TypeError where NumPy refuses them."""
    ufunc = np.exp if name in ("erf", "erfc") else getattr(np, name)
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
    """The `m` that notes."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.places = 0
        self.refusal = ""

    def __getattr__(self, name: str) -> Any:
        if name in ELEMENTWISE:
            return lambda *operands, **options: self.apply(name, operands, options)
        if name in ARRAYS:
            self.refuse(f"calls m.{name}, which sees more than one element")
        raise AttributeError(f"m has no {name}")

    def refuse(self, reason: str) -> NoReturn:
        """Raise Refused, and remember that: the formula might catch it."""
        self.refusal = self.refusal or reason
        raise Refused(reason)

    def apply(self, name: str, operands: Sequence[Any], options: dict[str, Any]) -> Any:
        """One more step; what is made of numbers alone is a number, as NumPy computes it."""
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
        except (TypeError, ValueError, OverflowError) as error:  # NumPy will say so in its words
            self.refuse(f"calls m.{name}, where NumPy raises {type(error).__name__}: {error}")
        return self._noted(name, places, dtypes, result)

    def _loop(self, name: str, operands: Sequence[Any]) -> tuple[DType, ...]:
        found = loop(name, tuple(map(self._kind, operands)))
        if len(set(found[:-1])) > 1:
            self.refuse(f"calls m.{name} on {' and '.join(map(str, found[:-1]))}")
        return found

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
        """What NumPy's promotion knows of an operand: its dtype, or that it is a Python number."""
        if isinstance(x, (_Read, np.generic)):
            return x.dtype
        if isinstance(x, np.ndarray) and not x.ndim:
            return x.dtype  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if type(x) in (int, float):
            return type(x)  # pyright: ignore[reportUnknownVariableType]
        return bool_ if type(x) is bool else self.refuse(f"computes with {_described(x)}")


def _number(x: Any, dtype: DType) -> Number:
    """A number of the formula in the dtype in which it is wanted, as NumPy converts."""
    array = x.astype(dtype) if isinstance(x, (np.generic, np.ndarray)) else np.array(x, dtype)
    return Number(array.tobytes(), dtype)


def _place(x: Any, dtype: DType) -> int | Number:
    if not isinstance(x, _Read):
        return _number(x, dtype)
    return _number(x.place.value, dtype) if isinstance(x.place, Number) else x.place


def _refusing(reason: str) -> Any:
    return lambda self, *_, **__: self._reader.refuse(reason)


class _Read(Operand):
    """An argument or a result while a formula is read: a dtype and a place."""

    def __init__(self, reader: _Reader, place: int | Number, dtype: Any) -> None:
        self._reader, self.place, self.dtype = reader, place, dtype

    def applied(self, name: str, *operands: Any) -> Any:
        return getattr(self._reader, name)(*operands)

    def __pow__(self, other: Any) -> Any:
        """xʸ; for floats and the Python number 0.5 NumPy takes the root, which of −∞ is NaN."""
        if type(other) is float and other == 0.5 and self.dtype.kind == "f":
            return self.applied("sqrt", self)
        return super().__pow__(other)

    __bool__ = __float__ = __int__ = __index__ = __complex__ = _refusing("decides by values")
    __len__ = __iter__ = __contains__ = __reversed__ = _refusing("counts its elements")
    __getitem__ = __setitem__ = _refusing("takes an index")
    __array__ = _refusing("makes an array of its argument")
    __round__ = __divmod__ = __rdivmod__ = _refusing("calls what m hasn't")
    __iadd__ = __isub__ = __imul__ = __itruediv__ = _refusing("writes over an array")
    __ifloordiv__ = __imod__ = __ipow__ = __imatmul__ = _refusing("writes over an array")
    __iand__ = __ior__ = __ixor__ = __ilshift__ = __irshift__ = _refusing("writes over an array")

    def astype(self, dtype: Any) -> Any:
        """In another dtype."""
        return self._reader.cast(self, dtype)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python and NumPy look for, to no avail
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
