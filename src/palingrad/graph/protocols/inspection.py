"""The array API's functions of dtypes, and what the library says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dtypes import (
    DTYPES,
    DType,
    Scalar,
    as_dtype,
    default_dtype,
    int64,
    is_array_like,
    is_inexact,
    is_integer,
    promote,
    promote_scalar,
    scalar_dtype,
)
from ...errors import DTypeError
from ...messages.calls import public
from ...messages.checks import one_of
from ..node import Node
from .interchange import check_device

_KINDS = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "f",
    "complex floating": "c",
    "numeric": "iufc",
}


@dataclass(frozen=True)
class FloatInfo:
    """The limits of a float dtype, as Python floats; of a complex one, those of its parts."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True)
class IntegerInfo:
    """The limits of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: DType


def _dtype_of(what: Any) -> DType:
    """The dtype of a node or an array, or the dtype itself."""
    if isinstance(what, Node) and what.dtype is not None:
        return what.dtype
    if not isinstance(what, (np.dtype, type)) and is_array_like(what):
        return as_dtype(what.dtype)
    return as_dtype(what)


@public
def finfo(type: Any, /) -> FloatInfo:
    """The limits of a float dtype, given itself or by an array: bits, eps, max, min, …."""
    dtype = _dtype_of(type)
    if not is_inexact(dtype):
        raise DTypeError(f"finfo: {dtype} isn't a float dtype.", hint="pg.iinfo is for integers.")
    info: Any = np.finfo(dtype)  # pyright: ignore[reportUnknownVariableType]
    eps, most, least, normal = (
        float(x) for x in (info.eps, info.max, info.min, info.smallest_normal)
    )
    return FloatInfo(int(info.bits), eps, most, least, normal, info.dtype)


@public
def iinfo(type: Any, /) -> IntegerInfo:
    """The limits of an integer dtype, given itself or by an array: bits, max, min."""
    dtype = _dtype_of(type)
    if not is_integer(dtype):
        raise DTypeError(f"iinfo: {dtype} isn't an integer dtype.", hint="pg.finfo is for floats.")
    info = np.iinfo(dtype)
    return IntegerInfo(int(info.bits), int(info.max), int(info.min), dtype)


@public
def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of this kind: a dtype, "bool", "signed integer", "unsigned integer",
    "integral", "real floating", "complex floating", "numeric", or a tuple of these."""
    if isinstance(kind, tuple):
        return any([isdtype(dtype, one) for one in kind])
    if isinstance(kind, str):
        return as_dtype(dtype).kind in _KINDS[one_of("isdtype: kind", kind, _KINDS)]
    return as_dtype(dtype) == as_dtype(kind)


@public
def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether every number of a dtype, or of an array's, is one of the dtype `to`."""
    return bool(np.can_cast(_dtype_of(from_), as_dtype(to)))


@public
def result_type(*arrays_and_dtypes: Any) -> DType:
    """The dtype to which arrays, dtypes and Python numbers are promoted together."""
    if not arrays_and_dtypes:
        raise DTypeError("result_type: nothing given.", hint="Write pg.result_type(x, y).")
    strong: list[DType] = []
    scalars: list[Scalar] = []
    for x in arrays_and_dtypes:
        scalar = x.weak if isinstance(x, Node) else x
        if isinstance(scalar, (bool, int, float)) and not isinstance(scalar, np.generic):
            scalars.append(scalar)
        else:
            strong.append(_dtype_of(x))
    dtype = promote(*strong) if strong else promote(*map(scalar_dtype, scalars))
    for scalar in scalars:
        dtype = promote_scalar(dtype, scalar)
    return dtype


class NamespaceInfo:
    """What the array API's `__array_namespace_info__()` returns."""

    def capabilities(self) -> dict[str, Any]:
        """What is optional in the standard."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """The device of new arrays."""
        return "cpu"

    def devices(self) -> list[str]:
        """All devices."""
        return ["cpu"]

    def default_dtypes(self, *, device: Any = None) -> dict[str, DType]:
        """The dtypes that Python numbers become; that of floats is set by pg.set_default_dtype."""
        check_device(device, "default_dtypes")
        real = default_dtype()
        return {
            "real floating": real,
            "complex floating": np.result_type(real, np.complex64),
            "integral": int64,
            "indexing": int64,
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, DType]:
        """The dtypes of the standard that exist, all or those of a kind as for pg.isdtype."""
        check_device(device, "dtypes")
        named = {dtype.name: dtype for dtype in DTYPES if dtype.name != "float16"}
        return {
            name: dtype
            for name, dtype in sorted(named.items())
            if kind is None or isdtype(dtype, kind)
        }


def __array_namespace_info__() -> NamespaceInfo:
    """What the array API asks of a namespace: its dtypes, devices and capabilities."""
    return NamespaceInfo()
