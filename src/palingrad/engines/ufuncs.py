"""Which operations are a single NumPy ufunc, found by reading their formulas.

A ufunc can be called without the formula around it, and can write over an input that nobody needs
any more: for large arrays memory that is in the cache beats memory that isn't.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from ..graph.kinds import Contract, Elementwise, Reduce
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.operation import MultipleOutputs, Operation
from ..maths import numpy_maths
from ..shapes import size

_LARGE = 4096  # elements from which writing over an input pays


class _Call(NamedTuple):
    """What a formula returned when it was read: one function of the maths namespace, applied."""

    function: Any
    arguments: tuple[Any, ...]


class _Reader:
    """A maths namespace that computes nothing and notes what is called."""

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: _Call(getattr(numpy_maths, name), arguments)


class _Argument:
    """Stands for an input while a formula is read; anything done to it but passing it on fails."""


def single_ufunc(node: Operation) -> np.ufunc | None:
    """The ufunc that the node's formula is, applied to its inputs in order; else None."""
    if not isinstance(node, Elementwise) or node.attributes:
        return None
    known = _known.setdefault(type(node), {})
    count = len(node.inputs)
    if count not in known:
        known[count] = _read(type(node), count)
    return known[count]


# By class and number of inputs; a user's class lives no longer for it.
_known: WeakKeyDictionary[type[Operation], dict[int, np.ufunc | None]] = WeakKeyDictionary()


def _read(operation: type[Operation], count: int) -> np.ufunc | None:
    arguments = tuple(_Argument() for _ in range(count))
    try:
        call: Any = operation.f(_Reader(), *arguments)
    except (TypeError, AttributeError):  # the formula does more than to call one function
        return None
    if type(call) is not _Call or not isinstance(call.function, np.ufunc):
        return None
    same = len(call.arguments) == len(arguments) and all(map(_is, call.arguments, arguments))
    return call.function if same else None


def _is(a: Any, b: Any) -> bool:
    return a is b


def reusable(order: list[Node], roots: set[Node]) -> set[Node]:
    """The large values that their last user may write over: fresh memory that nothing else sees.

    That is what a ufunc or a contraction made, if no consumer can return a view of it.
    """
    shared = set(roots)
    for node in order:
        if isinstance(node, Operation) and not makes_fresh(node):
            shared.update(node.inputs)
    return {
        node
        for node in order
        if isinstance(node, Operation)
        and node not in shared
        and makes_fresh(node)
        and not isinstance(node, Reduce)
        and is_large(node)
    }


def is_large(node: Node) -> bool:
    """Whether the value is so large that its memory matters more than the call."""
    return not isinstance(node, MultipleOutputs) and size(node.shape or ()) >= _LARGE


def makes_fresh(node: Operation) -> bool:
    """Whether the value is sure to be memory of its own, no view of an input."""
    if isinstance(node, Elementwise):
        return single_ufunc(node) is not None
    return isinstance(node, (Contract, Reduce))


def target(node: Operation, dying: list[Node], free: set[Node]) -> Node | None:
    """The dying input whose memory the node's ufunc may write its result to, if there is one."""
    for x in dying:
        if x in free and not isinstance(x, Constant):
            if (x.shape, x.dtype) == (node.shape, node.dtype):
                return x
    return None
