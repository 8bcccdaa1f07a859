"""Dtypes and shapes by TensorFlow's names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import index
from typing import Any

import numpy as np

from ....dtypes import is_boolean, is_complex, is_floating, is_integer
from ....errors import DTypeError, ShapeError
from ....messages.checks import shown


class DType:
    """A dtype: `float32.as_numpy_dtype` is NumPy's."""

    def __init__(self, name: str, numpy: Any) -> None:
        self.name = name
        self._numpy = None if numpy is None else np.dtype(numpy)

    @property
    def as_numpy_dtype(self) -> Any:
        """NumPy's type; `object` for strings."""
        return object if self._numpy is None else self._numpy.type

    @property
    def base_dtype(self) -> DType:
        """The dtype itself: Variables have no dtypes of their own here."""
        return self

    @property
    def is_floating(self) -> bool:
        """Whether it is a real floating-point dtype."""
        return is_floating(self._numpy)

    @property
    def is_integer(self) -> bool:
        """Whether it is an integer dtype."""
        return is_integer(self._numpy)

    @property
    def is_complex(self) -> bool:
        """Whether it is a complex dtype."""
        return is_complex(self._numpy)

    @property
    def is_bool(self) -> bool:
        """Whether it is the boolean dtype."""
        return is_boolean(self._numpy)

    @property
    def min(self) -> Any:
        """The lowest number."""
        return (np.finfo if self.is_floating else np.iinfo)(self._numpy).min

    @property
    def max(self) -> Any:
        """The highest number."""
        return (np.finfo if self.is_floating else np.iinfo)(self._numpy).max

    def __eq__(self, other: object) -> bool:
        try:
            return as_dtype(other).name == self.name
        except DTypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: {self.name!r}>"


_NUMERIC = (
    "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16",
    "uint32", "uint64", "bool", "complex64", "complex128",
)  # fmt: skip
DTYPES = {name: DType(name, name) for name in _NUMERIC} | {"string": DType("string", None)}
_OTHER_NAMES = {"float": "float32", "double": "float64", "half": "float16", "int": "int32"}


def as_dtype(dtype: Any) -> DType:
    """The DType of a name, a NumPy dtype or a Python type. Raises DTypeError for anything else."""
    if isinstance(dtype, DType):
        return dtype
    if isinstance(dtype, str):
        name = _OTHER_NAMES.get(dtype.removesuffix("_ref"), dtype.removesuffix("_ref"))
    else:
        known = {float: "float32", int: "int64", bool: "bool", str: "string", bytes: "string"}
        try:
            name = known.get(dtype) or np.dtype(dtype).name
        except TypeError:
            name = ""
    if name not in DTYPES:
        raise DTypeError(
            f"{shown(dtype)} isn't a dtype.", hint=f"Those here are {', '.join(DTYPES)}."
        )
    return DTYPES[name]


def numeric(dtype: Any) -> Any:
    """NumPy's dtype of a numeric one. Raises DTypeError for strings."""
    found = as_dtype(dtype)
    if found._numpy is None:
        raise DTypeError("strings can't be computed with.", hint="A constant may be a string.")
    return found._numpy


class Dimension(int):
    """A known size; `value` is its integer. An unknown one is UnknownDimension."""

    @property
    def value(self) -> int | None:
        """The size, or None."""
        return int(self)


class UnknownDimension:
    """A size that isn't known before a run."""

    value: int | None = None

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, UnknownDimension)

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "Dimension(None)"


class TensorShape:
    """The sizes of a tensor, as far as they are known."""

    def __init__(self, dims: Any) -> None:
        self._dims: tuple[int | None, ...] | None = (
            None if dims is None else tuple(size_of(one) for one in dims)
        )

    @property
    def ndims(self) -> int | None:
        """The number of axes, or None."""
        return None if self._dims is None else len(self._dims)

    rank = ndims

    @property
    def dims(self) -> list[Any] | None:
        """The sizes, as Dimensions."""
        return None if self._dims is None else list(self)

    def as_list(self) -> list[int | None]:
        """The sizes, None for an unknown one. Raises ShapeError if the rank isn't known."""
        return list(self._known())

    def num_elements(self) -> int | None:
        """The product of the sizes; None if one isn't known."""
        if self._dims is None or None in self._dims:
            return None
        return int(np.prod([d for d in self._dims if d is not None], dtype=np.int64))

    def is_fully_defined(self) -> bool:
        """Whether all sizes are known."""
        return self._dims is not None and None not in self._dims

    def _known(self) -> tuple[int | None, ...]:
        if self._dims is None:
            raise ShapeError(
                "the number of axes isn't known before a run.",
                hint="Give the placeholder a shape, such as [None, 784].",
            )
        return self._dims

    def __iter__(self) -> Iterator[Any]:
        return (UnknownDimension() if d is None else Dimension(d) for d in self._known())

    def __len__(self) -> int:
        return len(self._known())

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return TensorShape(self._known()[key])
        return list(self)[key]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TensorShape):
            return self._dims == other._dims
        return self._dims == (tuple(other) if isinstance(other, (list, tuple)) else other)

    def __hash__(self) -> int:
        return hash(self._dims)

    def __repr__(self) -> str:
        inner = "None" if self._dims is None else repr(list(self._dims))
        return f"TensorShape({inner})"

    def __str__(self) -> str:
        if self._dims is None:
            return "<unknown>"
        sizes = ", ".join("?" if d is None else str(d) for d in self._dims)
        return f"({sizes},)" if len(self._dims) == 1 else f"({sizes})"


def size_of(one: Any) -> int | None:
    """A size: an integer, or None for an unknown one."""
    if one is None or isinstance(one, UnknownDimension):
        return None
    try:
        return index(one)
    except TypeError:
        raise ShapeError(
            f"a size is an integer or None, got {shown(one)}.",
            hint="A shape is a list of them, such as [None, 784].",
        ) from None


def static(shape: Any) -> tuple[int | None, ...] | None:
    """A shape as a tuple; a number is the size of the only axis."""
    if shape is None:
        return None
    if isinstance(shape, TensorShape):
        return shape._dims
    given: Sequence[Any] = [shape] if isinstance(shape, (int, np.integer)) else shape
    return tuple(size_of(one) for one in given)
