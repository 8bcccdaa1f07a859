"""Operations that NumPy computes in the middle of an XLA computation: `jax.pure_callback`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph.operation import MultipleOutputs, Operation
from ...shapes import sizes
from ..numpy import formula
from .jaxlib import jax


def forms(node: Operation) -> Any:
    """The shapes and dtypes of a node's results."""
    if isinstance(node, MultipleOutputs):
        pairs = zip(node.shape, node.dtype, strict=True)
        return tuple(jax.ShapeDtypeStruct(sizes(shape), dtype) for shape, dtype in pairs)
    return jax.ShapeDtypeStruct(sizes(node.shape), node.dtype)


def on_host(node: Operation, failures: list[Exception]) -> Callable[..., Any]:
    """The function of traced arrays that has NumPy compute the node.

    An exception can't leave XLA, so it is put into `failures`: the rest of the run computes with
    zeros, and is then given up.
    """
    results, compute = forms(node), formula(node)

    def zeros() -> Any:
        if isinstance(results, tuple):
            return tuple(np.zeros(one.shape, one.dtype) for one in results)
        return np.zeros(results.shape, results.dtype)

    def call(*arrays: Any) -> Any:
        if failures:
            return zeros()
        try:
            with np.errstate(all="ignore"):
                values = compute(*map(np.asarray, arrays))
            if isinstance(results, tuple):
                return tuple(_fitting(*pair) for pair in zip(values, results, strict=True))
            return _fitting(values, results)
        except Exception as error:
            failures.append(error)
            return zeros()

    return lambda *inputs: jax.pure_callback(call, results, *inputs, vmap_method="sequential")


def _fitting(value: Any, form: Any) -> Any:
    value = np.asarray(value)
    assert (value.shape, value.dtype) == (form.shape, form.dtype), (value.shape, value.dtype, form)
    return value
