"""Reductions by their parts: y = finish(prepare(x₁) ⊕ prepare(x₂) ⊕ … ⊕ prepare(xₙ), n)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any

import numpy as np

from ...classes import Protocol
from ...dtypes import Array, DType
from ...maths import numpy_maths
from ...maths.operands import Operand
from ...maths.protocol import ELEMENTWISE
from ...shapes import axes_in

# Sums and products are those of the maths namespace, which rounds them less.
_SUMMED: dict[str, Callable[..., Any]] = {"add": numpy_maths.sum, "multiply": numpy_maths.prod}
PARTS = ("identity", "prepare", "combine", "finish")


class Parts(Protocol):
    """What a reduction is made of; attributes but `axis` and `keepdims` are keywords of all."""

    identity: Callable[..., Any]
    prepare: Callable[..., Any]
    combine: Callable[..., Any]
    finish: Callable[..., Any]


def options_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that a reduction's parts are given."""
    return {name: one for name, one in attributes.items() if name not in ("axis", "keepdims")}


class _Argument(Operand):
    """An argument of `combine`, of which only the function that it goes to is noted."""

    def applied(self, name: str, *operands: Any) -> Any:
        return name, operands


class _Names:
    """The `m` whose functions return their own names and operands."""

    def __getattr__(self, name: str) -> Any:
        if name not in ELEMENTWISE:
            raise AttributeError(f"m has no {name}")
        return lambda *operands: (name, operands)


def function_of(parts: Parts, options: Mapping[str, Any]) -> str | None:
    """The function of `m` that combines two totals, if ⊕ is one function on both in order and
    NumPy has it as a ufunc; else None."""
    a, b = _Argument(), _Argument()
    try:
        name, (first, second) = parts.combine(_Names(), a, b, **options)
    except Exception:  # whatever a user's formula raises on what isn't an array
        return None
    known = isinstance(name, str) and isinstance(getattr(np, name, None), np.ufunc)
    return name if known and first is a and second is b else None


def totals(parts: Parts, options: Mapping[str, Any], dtypes: tuple[DType, ...]) -> Any:
    """The dtypes of the totals of elements of these dtypes: what NumPy gives where two of them,
    and then totals, are combined; sums and products of small integers are in 64 bits."""
    name = function_of(parts, options)
    if name is not None:
        return (getattr(np, name).reduce(np.ones(1, dtypes[0])).dtype,)
    for _ in dtypes, *dtypes:  # each may become wider once
        ones = tuple(np.ones(1, dtype) for dtype in dtypes)
        found = _combined(parts, options, ones, ones)
        dtypes, before = tuple(np.asarray(one).dtype for one in found), dtypes
        if dtypes == before:
            break
    return dtypes


def _combined(
    parts: Parts, options: Mapping[str, Any], a: tuple[Array, ...], b: tuple[Array, ...]
) -> tuple[Any, ...]:
    """a ⊕ b, where a total of one number isn't a tuple for the operation."""
    if len(a) == 1:
        return (parts.combine(numpy_maths, *a, *b, **options),)
    return parts.combine(numpy_maths, a, b, **options)


def formula_of(parts: Parts) -> Callable[..., Any]:
    """The formula f(m, *x, axis, keepdims) of NumPy arrays that a reduction's parts make."""

    def f(m: Any, *x: Any, axis: Any, keepdims: bool, **options: Any) -> Any:
        prepared = parts.prepare(m, *x, **options)
        several = isinstance(prepared, tuple)
        elements: tuple[Any, ...] = prepared if several else (prepared,)
        shape = np.broadcast_shapes(*(np.shape(one) for one in (*x, *elements)))
        axes = axes_in(axis, len(shape))
        lined = tuple(_lined(np.broadcast_to(one, shape), axes) for one in elements)
        total = _total(parts, options, lined)
        count = math.prod(shape[one] for one in axes)
        result = parts.finish(m, total if several else total[0], count, **options)
        rest = [1 if one in axes else size for one, size in enumerate(shape)]
        if not keepdims:
            rest = [size for one, size in enumerate(shape) if one not in axes]
        outer = lined[0].shape[:-1]
        return np.reshape(np.broadcast_to(result, outer), rest)

    f.__signature__ = signature(f).replace(parameters=_parameters(parts))  # pyright: ignore[reportFunctionMemberAccess]
    return f


def _parameters(parts: Parts) -> list[Parameter]:
    """m, the names that `prepare` gives its elements, axis and keepdims."""
    m, *given = signature(parts.prepare).parameters.values()
    named = [one for one in given if one.kind is one.POSITIONAL_OR_KEYWORD]
    options = [Parameter(name, Parameter.KEYWORD_ONLY) for name in ("axis", "keepdims")]
    return [m, *named, *options]


def _lined(x: Array, axes: tuple[int, ...]) -> Array:
    """x with the axes that go as one last axis."""
    moved = np.moveaxis(x, axes, range(x.ndim - len(axes), x.ndim))
    if len(axes) == 1:
        return moved
    rest = moved.shape[: x.ndim - len(axes)]
    return moved.reshape(*rest, math.prod(moved.shape[len(rest) :]))


def _total(
    parts: Parts, options: Mapping[str, Any], elements: tuple[Array, ...]
) -> tuple[Array, ...]:
    """The elements combined along the last axis: by one ufunc, or in pairs, pairs of pairs, …."""
    dtypes = totals(parts, options, tuple(one.dtype for one in elements))
    outer = elements[0].shape[:-1]
    if elements[0].shape[-1] == 0:
        found = parts.identity(*dtypes, **options)
        neutral = found if len(dtypes) > 1 else (found,)
        return tuple(np.full(outer, one, dtype) for one, dtype in zip(neutral, dtypes, strict=True))
    name = function_of(parts, options)
    if name is not None:
        combine = _SUMMED[name] if name in _SUMMED else getattr(np, name).reduce
        return (np.asarray(combine(elements[0], axis=-1)),)
    while (length := elements[0].shape[-1]) > 1:
        even = tuple(one[..., : length - 1 : 2] for one in elements)
        odd = tuple(one[..., 1::2] for one in elements)
        pairs = _combined(parts, options, even, odd)
        whole = [
            np.broadcast_to(np.asarray(pair, dtype), (*outer, length // 2))
            for pair, dtype in zip(pairs, dtypes, strict=True)
        ]
        if length % 2:
            rest = [one[..., -1:].astype(dtype) for one, dtype in zip(elements, dtypes)]
            whole = [np.concatenate(pair, axis=-1) for pair in zip(whole, rest, strict=True)]
        elements = tuple(whole)
    return tuple(one[..., 0].astype(dtype) for one, dtype in zip(elements, dtypes, strict=True))
