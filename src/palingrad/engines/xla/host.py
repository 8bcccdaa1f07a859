"""Operations that NumPy computes in the middle of an XLA computation: `jax.pure_callback`.

JAX calls back in threads of its own, where 64-bit numbers aren't enabled, and would round what goes
in and out. So numbers of 64 bits travel as pairs of 32-bit words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...dtypes import Array, DType, complex128, float64, is_complex
from ...graph.operation import MultipleOutputs, Operation
from ...shapes import sizes
from ..numpy import formula
from .jaxlib import jax, jnp, lax

_Form = tuple[tuple[int, ...], DType]


def forms(node: Operation) -> list[_Form]:
    """The shapes and dtypes of a node's results."""
    if isinstance(node, MultipleOutputs):
        pairs = zip(node.shape, node.dtype, strict=True)
        return [(sizes(shape), dtype) for shape, dtype in pairs]
    dtype: Any = node.dtype
    return [(sizes(node.shape), dtype)]


def on_host(node: Operation, failures: list[Exception]) -> Callable[..., Any]:
    """The function of traced arrays that has NumPy compute the node.

    An exception can't leave XLA, so it is put into `failures`: the rest of the run computes with
    zeros, and is then given up.
    """
    results, compute = forms(node), formula(node)
    several = isinstance(node, MultipleOutputs)

    def call(dtypes: Sequence[DType], *words: Any) -> list[Array]:
        if not failures:
            try:
                arrays = [_read(np.asarray(x), dtype) for x, dtype in zip(words, dtypes)]
                with np.errstate(all="ignore"):
                    found = compute(*arrays)
                values = list(found) if several else [found]
                return [_written(*one) for one in zip(values, results, strict=True)]
            except Exception as error:
                failures.append(error)
        return [_written(np.zeros(shape, dtype), (shape, dtype)) for shape, dtype in results]

    def function(*inputs: Any) -> Any:
        given = [jnp.asarray(x) for x in inputs]
        dtypes = tuple(np.dtype(x.dtype) for x in given)
        words = jax.pure_callback(
            lambda *words: call(dtypes, *words),
            [_words_form(*one) for one in results],
            *map(_sent, given),
            vmap_method="sequential",
        )
        values = [_received(x, dtype) for x, (_, dtype) in zip(words, results, strict=True)]
        return tuple(values) if several else values[0]

    return function


def _is_wide(dtype: DType) -> bool:
    return dtype.itemsize > 4 and dtype != np.complex64


def _words_form(shape: tuple[int, ...], dtype: DType) -> Any:
    if not _is_wide(dtype):
        return jax.ShapeDtypeStruct(shape, dtype)
    return jax.ShapeDtypeStruct((*shape, dtype.itemsize // 4), np.uint32)


def _sent(x: Any) -> Any:
    """The words of traced numbers."""
    if not _is_wide(np.dtype(x.dtype)):
        return x
    if is_complex(x.dtype):
        return jnp.concatenate([_sent(jnp.real(x)), _sent(jnp.imag(x))], axis=-1)
    return lax.bitcast_convert_type(x, np.uint32)


def _received(words: Any, dtype: DType) -> Any:
    """Traced numbers from their words."""
    if not _is_wide(dtype):
        return words
    if dtype == complex128:
        return lax.complex(_received(words[..., :2], float64), _received(words[..., 2:], float64))
    return lax.bitcast_convert_type(words, dtype)


def _read(words: Array, dtype: DType) -> Array:
    if not _is_wide(dtype):
        assert words.dtype == dtype, (words.dtype, dtype)
        return words
    return np.ascontiguousarray(words).view(dtype)[..., 0]


def _written(value: Any, form: _Form) -> Array:
    value = np.asarray(value)
    assert (value.shape, value.dtype) == form, (value.shape, value.dtype, form)
    if not _is_wide(value.dtype):
        return value
    return np.ascontiguousarray(value[..., None]).view(np.uint32)
