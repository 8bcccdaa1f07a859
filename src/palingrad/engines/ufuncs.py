"""Finds the operations whose formula is a single NumPy ufunc, by tracing the formula.

Such a ufunc is called directly, without the Python code of the formula, and can write its result in
place over an input after its last use: for large arrays that memory is already in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from operator import methodcaller
from typing import Any

import numpy as np

from ..dtypes import Array, DType
from ..graph.declared.strided import Strided
from ..graph.kinds import Contract, Elementwise, Layout, Reduce
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.operation import MultipleOutputs, Operation
from ..shapes import known, size, sizes
from .formulas import readable

_LARGE = 4096  # minimum number of elements for which writing in place is faster


def single_ufunc(node: Operation) -> np.ufunc | None:
    """The ufunc of the inputs, in order, that is the node's formula; None if there is none."""
    if node.attributes:
        return None
    key = (type(node), *[x.dtype for x in node.inputs])
    found = _known.get(key, _unknown)
    if found is not _unknown:
        return found
    if not isinstance(node, Elementwise):
        return None
    found = _ufunc_of(node)
    if node._shipped:
        _known[key] = found
    return found


# Only the library's own operations: users' formulas may change between compilations.
_known: dict[tuple[Any, ...], np.ufunc | None] = {}
_unknown: Any = object()


def _ufunc_of(node: Elementwise) -> np.ufunc | None:
    formula = readable(node)
    if formula is None or len(formula.steps) != 1:
        return None
    (step,) = formula.steps
    order = tuple(range(len(node.inputs)))
    function = getattr(np, step.name, None)
    whole = step.operands == order and formula.result == len(order)
    return function if whole and isinstance(function, np.ufunc) else None


def reusable(order: list[Node], roots: set[Node], large: Iterable[Node]) -> set[Node]:
    """Those of the large values that their last consumer may overwrite.

    These are results of ufuncs and contractions, whose memory is newly allocated, if no consumer
    can return a view of them.
    """
    found: set[Node] = {
        node
        for node in large
        if isinstance(node, Operation)
        and node not in roots
        and not isinstance(node, Reduce)
        and makes_fresh(node)
    }
    if found:
        for node in order:
            if isinstance(node, Operation) and not makes_fresh(node):
                found.difference_update(node.inputs)
    return found


def is_large(node: Node) -> bool:
    """Whether memory traffic, not the call, dominates the cost of computing the value."""
    shape = node.shape
    return bool(shape) and not isinstance(node, MultipleOutputs) and size(shape) >= _LARGE


def makes_fresh(node: Operation) -> bool:
    """Whether the value is known to be newly allocated, not a view of an input."""
    if isinstance(node, Elementwise):
        return single_ufunc(node) is not None
    return node._shipped and isinstance(node, (Contract, Reduce))


def target(node: Operation, dying: list[Node], free: set[Node]) -> Node | None:
    """An input in `dying` whose memory can hold the result of the node's ufunc, or None."""
    for x in dying:
        if x in free and not isinstance(x, Constant):
            if (x.shape, x.dtype) == (node.shape, node.dtype):
                return x
    return None


_SPREAD = 4096  # elements: fewer are copied sooner than NumPy makes a view


def direct(node: Operation) -> Callable[..., Any] | None:
    """A shorter way to a value than the operation's formula, for inputs of the node's own shapes:
    the ufunc that it is, or a method of arrays; None if there is none."""
    ufunc = single_ufunc(node)
    if ufunc is None and isinstance(node, Layout) and not isinstance(node, MultipleOutputs):
        return _moving(node) if node._shipped and len(node.inputs) == 1 else None
    return ufunc


def _moving(node: Layout) -> Callable[..., Any] | None:
    """A layout that keeps the order of the elements as a reshaping, and one that repeats few as a
    copy."""
    (x,) = node.inputs
    if node.shape is None or x.shape is None or not known(node.shape) or not known(x.shape):
        return None
    before, after = sizes(x.shape), sizes(node.shape)
    source = Strided.contiguous(before)
    found = node.view(source)
    if found == Strided.contiguous(after) and size(before) == size(after):
        return methodcaller("reshape", after)
    repeats = len(before) <= len(after) and all(
        a in (1, b) for a, b in zip(before[::-1], after[::-1], strict=False)
    )
    if repeats and size(after) <= _SPREAD and found == source.broadcast(after):
        return partial(_spread, after, node.dtype)
    return None


def _spread(shape: tuple[int, ...], dtype: DType | None, x: Any) -> Array:
    """x broadcast to the shape, as an array of its own."""
    y = np.empty(shape, dtype)
    y[...] = x
    return y
