"""Conversion of an operation's inputs to nodes of one dtype (type promotion)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeGuard

import numpy as np

from ..dtypes import (
    DTYPES,
    DType,
    Scalar,
    as_dtype,
    default_dtype,
    float32,
    float64,
    int64,
    is_boolean,
    is_complex,
    is_floating,
    is_inexact,
    is_integer,
    promote,
    promote_scalar,
    scalar_dtype,
)
from ..errors import DTypeError
from ..maths import numpy_maths
from ..messages.calls import explains, misfit
from ..trees import leaves
from .leaves import Constant, Placeholder
from .node import Node
from .registry import ops

_SCALARS = (bool, int, float, complex)


def as_node(value: Any, dtype: DType | None = None) -> Node:
    """A node unchanged, a list with nodes stacked, anything else as a Constant (of `dtype`)."""
    if isinstance(value, Node):
        return value
    if isinstance(value, (list, tuple)) and any(isinstance(leaf, Node) for leaf in leaves(value)):
        return ops.stack(value if dtype is None else [as_node(one, dtype) for one in value])
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray:
        _check_arithmetic(value)
    return Constant(value, dtype=dtype)


def _check_arithmetic(value: Any) -> None:
    """Raise DTypeError for an operand of a subclass of NumPy's arrays with its own arithmetic."""
    kind = type(value)
    own = kind.__array_ufunc__ is not np.ndarray.__array_ufunc__
    if own or isinstance(value, np.matrix):
        what = "units or rules of its own" if own else "* as the matrix product"
        raise DTypeError(
            f"{kind.__name__} has {what}, which nodes don't have",
            hint="Pass a plain array: np.asarray(m), and @ for matrix products.",
        )


@explains
def tensor(
    value: Any, *more: Any, dtype: Any = None, name: str | None = None, **unknown: Any
) -> Node:
    """`value` (array, number, nested lists) as a node that holds a copy of it.

    Derivatives flow through a node, and through nodes inside lists.

    >>> import palingrad as pg
    >>> x = pg.tensor([1.0, 2.0])
    >>> (x * x).value
    array([1., 4.], dtype=float32)
    >>> pg.gradients(pg.tensor([x[0], 3 * x[1]]), x, gradient=[1, 1]).value
    array([1., 3.], dtype=float32)
    """
    if more or unknown:
        raise misfit(tensor, (value, *more), unknown)
    target = None if dtype is None else as_dtype(dtype)
    if not any(isinstance(leaf, Node) for leaf in leaves(value)):
        constant = Constant(value, dtype=target, name=name)
        constant.scalar = constant.weak = None  # a tensor is strong: its dtype counts in promotion
        return constant
    node = as_node(value, target)
    if target is None and node.dtype is None:  # in a template: the dtype is that of a feed
        return ops.positive(node, name=name)
    dtype = target or (node.dtype if node.weak is None else scalar_dtype(node.weak))
    if node is not value and node.dtype == dtype and name is None:
        return node
    return ops.cast(node, dtype, name=name)


def _scalar_of(value: Any) -> Scalar | None:
    """The Python scalar that `value` is, or from which the node was made: weak in promotion."""
    if isinstance(value, Node):
        return value.weak
    return value if type(value) in _SCALARS else None


def align(
    inputs: tuple[Any, ...], promotes: bool, floats: bool, complexes: bool = True
) -> tuple[Node, ...]:
    """`inputs` as nodes, of one dtype if `promotes`, of an inexact dtype if `floats`.

    If a dtype is unknown the inputs keep theirs; specialisation aligns them again. Raises
    DTypeError if they promote to complex numbers, unless `complexes`.
    """
    first: Any = None
    numbers = False
    for x in inputs:  # the common case: nodes of one dtype already, and Python's numbers
        if isinstance(x, Node):
            dtype = x.dtype
            if x.weak is not None or dtype is None or not (first is None or dtype is first):
                break
            first = dtype
        elif type(x) is float or type(x) is int:
            numbers = True
        else:
            break
    else:
        single_or_double = first is float32 or first is float64
        if numbers and promotes and single_or_double:
            return tuple([x if isinstance(x, Node) else Constant.of(x, first) for x in inputs])
        if not numbers:
            if not promotes or single_or_double or first is None:
                return inputs
            if not complexes and is_complex(first):
                refuse_complex(first)
            if not floats or is_inexact(first):
                return inputs
    if not promotes:
        return tuple(as_node(x) for x in inputs)
    if len(inputs) == 2 and (found := _two(*inputs, floats)) is not None:
        return found
    scalars = [_scalar_of(x) for x in inputs]
    nodes = [
        x if scalar is not None else as_node(x) for x, scalar in zip(inputs, scalars, strict=True)
    ]
    dtypes: list[Any] = [
        x.dtype for x, scalar in zip(nodes, scalars, strict=True) if scalar is None
    ]
    if any(dtype is None for dtype in dtypes):  # not `in`: NumPy compares None equal to float64
        return tuple(as_node(x) for x in nodes)
    dtype = _common(dtypes, [scalar for scalar in scalars if scalar is not None])
    if is_complex(dtype) and not complexes:
        refuse_complex(dtype)
    if floats and not is_inexact(dtype):
        dtype = default_dtype()
    return tuple(
        Constant.of(scalar, dtype)
        if scalar is not None and not isinstance(node, Node)
        else _of_list(x, node, dtype)
        for x, node, scalar in zip(inputs, nodes, scalars, strict=True)
    )


def _two(x: Any, y: Any, floats: bool) -> tuple[Node, Node] | None:
    """The next most common case: a node, and a Python number or an array that leaves its dtype."""
    if type(y) in _SCALARS and isinstance(x, Node) and _gives(x, y, floats):
        return x, Constant.of(y, x.dtype)  # pyright: ignore[reportArgumentType]
    if type(x) in _SCALARS and isinstance(y, Node) and _gives(y, x, floats):
        return Constant.of(x, y.dtype), y  # pyright: ignore[reportArgumentType]
    if type(x) is np.ndarray and _is_strong(y, x.dtype) and _stays(x.dtype, floats):
        return Constant(x), y
    if type(y) is np.ndarray and _is_strong(x, y.dtype) and _stays(y.dtype, floats):
        return x, Constant(y)
    return None


def as_nodes(*inputs: Any) -> tuple[Node, ...]:
    """`inputs` as nodes that keep their dtypes, for operations that promote them later.

    Python's floats, alone or in lists, are made in the dtype of the others at once: rounded to the
    default float first, they would lose digits beside float64.
    """
    if all(isinstance(x, Node) and x.weak is None for x in inputs):
        return inputs
    return tuple(
        promoted if type(x) in _SCALARS or isinstance(x, (list, tuple)) else as_node(x)
        for x, promoted in zip(inputs, align(inputs, promotes=True, floats=False), strict=True)
    )


def _of_list(value: Any, node: Node, dtype: DType) -> Node:
    """The node made of `value` in a dtype; Python floats in a list are rounded once."""
    listed = isinstance(value, (list, tuple)) and type(node) is Constant
    if listed and node.dtype != dtype and is_inexact(node.dtype):
        return Constant(value, dtype=dtype)
    return in_dtype(node, dtype)


def as_indices(x: Any) -> Node:
    """x as a node; an empty list, which has no dtype of its own, is one of integers."""
    empty = isinstance(x, (list, tuple)) and not x
    return Constant([], dtype=int64) if empty else as_node(x)


def refuse_complex(dtype: DType, function: str = "") -> NoReturn:
    """Raise DTypeError for an operation on real numbers, which adds its name, or for a function."""
    raise DTypeError(
        f"{function}{': ' if function else ''}expected real numbers, got {dtype}",
        hint="pg.real(x), pg.imag(x), pg.abs(x) and pg.angle(x) are real: complex numbers have no "
        "order.",
    )


def _is_strong(value: Any, dtype: DType) -> TypeGuard[Node]:
    """Whether it is a node of this dtype, which counts in promotion."""
    return isinstance(value, Node) and value.weak is None and value.dtype is dtype


def _stays(dtype: DType, floats: bool) -> bool:
    """Whether real inputs of this dtype are left as they are."""
    return is_floating(dtype) or (not floats and not is_complex(dtype))


def _gives(node: Node, scalar: Any, floats: bool) -> bool:
    """Whether the result of the node and the scalar has the node's dtype."""
    dtype = node.dtype
    if dtype is None or _scalar_of(node) is not None:
        return False
    if is_floating(dtype):
        return type(scalar) is not complex
    if is_complex(dtype):  # is aligned with checks
        return False
    return not floats and not is_boolean(dtype) and type(scalar) not in (float, complex)


def _common(dtypes: list[DType], scalars: list[Scalar]) -> DType:
    dtype = promote(*dtypes) if dtypes else promote(*map(scalar_dtype, scalars))
    for scalar in scalars:
        dtype = promote_scalar(dtype, scalar)
    return dtype


def in_dtype(node: Node, dtype: DType) -> Node:
    """The node in a dtype that can hold its numbers; a Python number is rounded once."""
    if node.dtype == dtype:
        return node
    if isinstance(node, Constant) and node.weak is not None:
        return Constant.of(node.weak, dtype)  # from the number: a cast would round it twice
    if isinstance(node, Placeholder) and node.weak is not None and is_integer(dtype):
        node.must_fit = (*node.must_fit, dtype)  # checked when the number is fed
    return ops.cast(node, dtype)


def dtype_of_ones(
    f: Callable[..., Any], dtypes: tuple[DType, ...], options: Mapping[str, Any]
) -> DType:
    """The dtype of f of ones; where it refuses them, a run will say so better."""
    ones = [np.ones(1, dtype) for dtype in dtypes]
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(f(numpy_maths, *ones, **options)).dtype
    except Exception:
        return dtypes[-1]
    return found if found in DTYPES else dtypes[-1]
