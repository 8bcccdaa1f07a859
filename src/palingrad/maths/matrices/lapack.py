"""SciPy's LAPACK, for single matrices and large ones of a batch; NumPy's, for many small ones.

The OpenBLAS that SciPy brings factors faster than NumPy's. It wants columns in one piece, so the
functions here hand over transposes where that saves a copy.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

NOT_FOUND = "the iteration didn't converge; a matrix may hold NaN or ∞"


def lapack(name: str, dtype: Any) -> Any:
    """SciPy's function `name` of LAPACK or BLAS for this dtype: "potrf" is spotrf, dpotrf, …"""
    kind = {"f": "s", "d": "d", "F": "c", "D": "z"}[dtype.char]
    if name in ("trsm", "gemm"):
        return getattr(importlib.import_module("scipy.linalg.blas"), kind + name)
    return getattr(importlib.import_module("scipy.linalg.lapack"), kind + name)


def one_by_one(x: Any, least: int = 48) -> bool:
    """Whether SciPy computes each of the matrices x, rather than NumPy all in one call: a single
    one, or several of `least` columns and more."""
    return x.size > 0 and (x.ndim == 2 or x.shape[-1] >= least)


def mapped(function: Any, *arrays: Any) -> Any:
    """The results of the function for each matrix of batches with the same leading axes."""
    if arrays[0].ndim == 2:
        return function(*arrays)
    outer = arrays[0].shape[:-2]
    flat = [x.reshape(-1, *x.shape[-2:]) for x in arrays]
    results = [function(*matrices) for matrices in zip(*flat)]
    if isinstance(results[0], tuple):
        return tuple(np.stack(part).reshape(*outer, *part[0].shape) for part in zip(*results))
    return np.stack(results).reshape(*outer, *results[0].shape)


def computed(name: str, lacks: str, function: Any, *arrays: Any) -> Any:
    """The function of the arrays, in float32 or wider; its refusal says what the matrix lacks."""
    dtype = np.result_type(*arrays)
    wide = [x.astype(np.float32) if x.dtype == np.float16 else x for x in arrays]
    try:
        result = function(*wide)
    except np.linalg.LinAlgError:
        raise np.linalg.LinAlgError(f"{name}: {lacks}") from None
    if dtype != np.float16:
        return result
    if isinstance(result, tuple):
        return tuple(part.astype(dtype) for part in result)
    return result.astype(dtype)


def adjoint(x: Any) -> Any:
    """xᴴ, without a copy for real x."""
    t = np.swapaxes(x, -1, -2)
    return np.conj(t) if x.dtype.kind == "c" else t


def broadcast(outer: tuple[int, ...], *arrays: Any) -> list[Any]:
    """Matrices with the leading axes `outer`."""
    if all(x.shape[:-2] == outer for x in arrays):
        return list(arrays)
    return [np.broadcast_to(x, (*outer, *x.shape[-2:])) for x in arrays]


def found(info: int) -> None:
    """Raise LinAlgError unless LAPACK reports success."""
    if info:
        raise np.linalg.LinAlgError


def finite(x: Any) -> Any:
    """x. Raises LinAlgError if it holds NaN or ∞, of which LAPACK may make finite spectra."""
    if not np.isfinite(x).all():
        raise np.linalg.LinAlgError
    return x


def product(x: Any, y: Any) -> Any:
    """x y of matrices, by SciPy's BLAS where both are single: NumPy's and SciPy's have threads of
    their own, which wait for each other where one's products follow the other's solutions."""
    if x.ndim > 2 or y.ndim > 2 or not x.size or not y.size:
        return x @ y
    dtype = np.result_type(x, y)
    x, y = x.astype(dtype, copy=False), y.astype(dtype, copy=False)
    # (x y)ᵀ = yᵀ xᵀ, each as it is or turned, so that SciPy copies blocks column by column.
    turns_x, turns_y = has_columns(x), has_columns(y)
    return lapack("gemm", dtype)(
        1.0, y if turns_y else y.T, x if turns_x else x.T, trans_a=turns_y, trans_b=turns_x
    ).T


def has_columns(x: Any) -> bool:
    """Whether the elements of columns, and not those of rows, are neighbours in memory."""
    return x.strides[0] < x.strides[1]
