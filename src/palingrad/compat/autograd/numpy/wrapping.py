"""NumPy's functions as autograd has them: lists with nodes are arrays, comparisons are values."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from ....graph.node import Node
from ....graph.promotion import tensor
from ....graph.protocols.ufuncs import found
from ....graph.registry import ops
from ....trees import leaves

# Functions whose first argument is a list of arrays, which NumPy's protocols hand on as it is.
_OF_LISTS = frozenset(
    "concatenate concat stack vstack hstack dstack column_stack row_stack block meshgrid "
    "broadcast_arrays select choose einsum multi_dot lexsort".split()
)
# Those of them that take any iterable.
_OF_ITERABLES = frozenset("concatenate stack vstack hstack dstack column_stack row_stack".split())
# Functions whose results have no derivative: they take the nodes' values.
_OF_VALUES = frozenset(
    "all allclose alltrue any argmax argmin argpartition argsort argwhere array_equal array_equiv "
    "array_repr array_str array2string ceil count_nonzero equal fix flatnonzero floor greater "
    "greater_equal iscomplex iscomplexobj isclose isfinite isinf isnan isneginf isposinf isreal "
    "isrealobj isscalar less less_equal logical_and logical_not logical_or logical_xor ndim "
    "nonzero not_equal nanargmax nanargmin ones_like result_type rint round searchsorted shape "
    "sign signbit size sometrue trunc zeros_like".split()
)
# Types of integers, which as functions round numbers and have no derivative.
_INTEGERS = frozenset(np.dtype(code).type for code in np.typecodes["AllInteger"] + "?")
# Functions whose first parameters, so many, are those of palingrad's.
_SAME = {"clip": 3, "mean": 2, "sum": 2}
_NUMBERS = frozenset((int, float, type(None)))
_PLAIN = frozenset((int, float, np.float64, np.ndarray))
# Functions that return lists, where palingrad's return tuples.
_LISTED = frozenset("array_split dsplit hsplit split vsplit".split())


def value_of(x: Any) -> Any:
    """The plain value of a node; anything else unchanged."""
    return x._value[()] if isinstance(x, Node) else x


def from_nodes(value: Any) -> Node:
    """A list with nodes, or a node, as a node."""
    dtypes = [x.dtype if isinstance(x, Node) else np.asarray(x).dtype for x in leaves(value)]
    return tensor(value, dtype=np.result_type(*dtypes))


def has_nodes(value: Any) -> bool:
    """Whether a value is, or holds, a node."""
    return any(isinstance(leaf, Node) for leaf in leaves(value))


def array_of(value: Any) -> Any:
    """A node for a node or a list with nodes, else an array."""
    return from_nodes(value) if has_nodes(value) else np.asarray(value)


def wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy's, as autograd has it."""
    name = getattr(original, "__name__", "")
    takes_lists, takes_values, listed = name in _OF_LISTS, name in _OF_VALUES, name in _LISTED
    takes_iterables = name in _OF_ITERABLES
    direct = _SAME.get(name, 0) if original is getattr(np, name, None) else 0
    on_node, on_two = _of_nodes(original, 1), _of_nodes(original, 2)

    @functools.wraps(original, updated=())
    def function(*args: Any, **kwargs: Any) -> Any:
        if on_node is not None and len(args) == 1 and not kwargs and isinstance(args[0], Node):
            return on_node(args[0])
        if on_two is not None and len(args) == 2 and not kwargs:
            x, y = args
            if (isinstance(x, Node) and type(y) in _PLAIN) or (
                isinstance(y, Node) and type(x) in _PLAIN
            ):
                return on_two(x, y)
        if 0 < len(args) <= direct and isinstance(args[0], Node) and not kwargs:
            if all(type(arg) in _NUMBERS for arg in args[1:]):
                return getattr(ops, name)(*args)
        if all(type(arg) in _PLAIN for arg in args):
            result = original(*args, **kwargs)
            return list(result) if listed else result
        if takes_iterables and args and not hasattr(args[0], "__getitem__"):
            args = (list(args[0]), *args[1:])
        if takes_values:
            args = tuple(map(value_of, args))
        elif not takes_lists:
            args = tuple(
                from_nodes(arg) if isinstance(arg, (list, tuple)) and has_nodes(arg) else arg
                for arg in args
            )
        result = original(*args, **kwargs)
        return list(result) if listed else result

    return function


def _of_nodes(original: Any, count: int) -> Callable[..., Node] | None:
    """palingrad's function of a ufunc of so many arguments, to which NumPy's protocol would
    lead."""
    name = getattr(original, "__name__", "")
    if not isinstance(original, np.ufunc) or original.nin != count or name in _OF_VALUES:
        return None
    return found(name)


class _OfValues(type):
    """The class of integer types that as functions take the values of nodes."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__mro__[1])

    def __call__(cls, value: Any = 0) -> Any:
        return cls.__mro__[1](value_of(value))


def _integers(original: type[Any]) -> type[Any]:
    """A type of NumPy's integers, which as a function takes the nodes' values."""
    return _OfValues(original.__name__, (original,), {"__module__": "numpy"})


def wrapping(original: ModuleType, names: dict[str, Any]) -> Callable[[str], Any]:
    """The `__getattr__` of a module that has all names of one of NumPy's, which are added to
    `names`, its globals, when they are first asked for."""

    def attribute(name: str) -> Any:
        found_there = getattr(original, name)
        if isinstance(found_there, type) and found_there in _INTEGERS:
            made: Any = _integers(found_there)
        elif callable(found_there) and not isinstance(found_there, type):
            made = wrapped(found_there)
        else:
            return found_there
        return names.setdefault(name, made)

    return attribute
