"""Where a NaN or an infinity began: from an element of a result back to the operation that made it.

A bad element of a node is either born there, if what it is made of is finite, or comes from bad
elements of the inputs. For elementwise operations these are known by broadcasting; of any other
operation we ask: bad elements are replaced by ordinary numbers and the formula is computed again.
Whatever doesn't pass through to the result, such as the branch that `where` didn't take, is never
looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...dtypes import Array, is_inexact
from ...engines.numpy import formula
from ...graph.context import graph_scope, level_of
from ...graph.kinds import Composite, Elementwise
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import Item, Operation
from ...graph.traversal.order import postorder
from ...ops.selection import Where

Element = tuple[int, ...]
Values = Callable[[Node], Any]

_STAND_INS = (0.5, 2.0)  # ordinary numbers; one of the two is inside every operation's domain
_ELEMENTS = 4  # different elements of one node that are followed


@dataclass(frozen=True)
class Birth:
    """An element that isn't finite though what it is made of is, or the first NaN of infinities.

    `trail` leads from there to the result: nodes with the element that is bad there.
    """

    node: Node
    element: Element
    trail: tuple[tuple[Node, Element], ...]
    order: list[Node]

    def among(self, nodes: Sequence[Node]) -> Birth:
        """The same, its order completed by nodes that the result isn't made of."""
        seen = set(self.order)
        return replace(self, order=[*self.order, *(one for one in nodes if one not in seen)])


def is_bad(value: Any) -> bool:
    """Whether it is an array of floats with a NaN or an infinity in it."""
    return isinstance(value, np.ndarray) and is_inexact(value.dtype) and not _finite(value)


def _finite(value: Array) -> bool:
    return bool(np.isfinite(value).all())


def made_of(node: Node) -> tuple[Node, ...]:
    """What a node's value is computed from, taking composites and folded constants apart."""
    inside = _inside(node)
    return node.inputs if inside is None else (inside,)


def _inside(node: Node) -> Node | None:
    """The node with the same value that a composite or a folded constant stands for."""
    if isinstance(node, Composite):
        inside = node._expansion
        return None if inside is None or inside._value is None else inside
    return node.folded if isinstance(node, Constant) else None


def known(node: Node) -> Any:
    """The value that a node holds itself."""
    return node._known()


def first_cause(
    roots: Iterable[Node], values: Values = known, *, inputs: bool = False
) -> Birth | None:
    """The earliest operation that made what isn't finite in `roots`; None where nobody is to blame.

    Nobody is for what comes from leaves alone; with inputs=True the leaf itself is the answer.
    """
    bad = [root for root in dict.fromkeys(roots) if is_bad(values(root))]
    if not bad:
        return None
    order = postorder(*bad, inputs=made_of)
    search = _Search(values)
    for root in bad:
        for element in _examples(values(root)):
            search.start(root, element)
    found = search.births or search.turns or (search.leaves if inputs else [])
    if not found:
        return None
    place = {node: number for number, node in enumerate(order)}
    node, element = min(found, key=lambda one: (level_of(one[0]._origin), place[one[0]]))
    return Birth(node, element, search.trail(node, element), order)


def _examples(value: Array) -> list[Element]:
    """The first NaN, the first ∞ and the first −∞ of an array."""
    tests = (np.isnan(value), value == np.inf, value == -np.inf)
    return [_index(value, int(np.argmax(test))) for test in tests if test.any()]


def _index(value: Array, place: int) -> Element:
    return tuple(int(one) for one in np.unravel_index(place, value.shape))


class _Search:
    """A walk from bad elements to where they were born; each node is left after a few elements."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.births: list[tuple[Node, Element]] = []
        self.turns: list[tuple[Node, Element]] = []  # where infinite numbers in the code became NaN
        self.leaves: list[tuple[Node, Element]] = []
        self._next: dict[tuple[Node, Element], tuple[Node, Element] | None] = {}
        self._visits: dict[Node, int] = {}

    def start(self, root: Node, element: Element) -> None:
        """Walk from one element of a result."""
        stack: list[tuple[Node, Element]] = []
        self._visit(root, element, None, stack)
        while stack:
            node, element = stack.pop()
            if not isinstance(node, Operation) and not made_of(node):
                self.leaves.append((node, element))
                continue
            sources = list(self._sources(node, element))
            if not sources:
                self.births.append((node, element))
            elif self._turns(node, element, sources):
                self.turns.append((node, element))
            for x, at in sources:
                self._visit(x, at, (node, element), stack)

    def trail(self, node: Node, element: Element) -> tuple[tuple[Node, Element], ...]:
        """The way from an element found to the result."""
        found: list[tuple[Node, Element]] = []
        step: tuple[Node, Element] | None = (node, element)
        while step is not None:
            found.append(step)
            step = self._next[step]
        return tuple(found)

    def _visit(
        self,
        node: Node,
        element: Element,
        after: tuple[Node, Element] | None,
        stack: list[tuple[Node, Element]],
    ) -> None:
        seen = self._visits.get(node, 0)
        if (node, element) not in self._next and seen < _ELEMENTS:
            self._visits[node] = seen + 1
            self._next[node, element] = after
            stack.append((node, element))

    def _turns(self, node: Node, element: Element, sources: list[tuple[Node, Element]]) -> bool:
        """Whether infinities became a NaN here, at least one of them written in the code."""
        if not np.isnan(self.values(node)[element]):
            return False
        if any(np.isnan(self.values(x)[at]) for x, at in sources):
            return False
        behind = postorder(*(x for x, _ in sources), inputs=made_of)
        return any(
            isinstance(x, Constant) and x.scalar is not None and is_bad(x._value) for x in behind
        )

    def _sources(self, node: Node, element: Element) -> Iterable[tuple[Node, Element]]:
        inside = _inside(node)
        if inside is not None:  # it has the same elements
            return [(inside, element)]
        if isinstance(node, Elementwise):
            return self._broadcast(node, element)
        assert isinstance(node, Operation)
        return self._asked(node, element)

    def _broadcast(self, node: Operation, element: Element) -> Iterable[tuple[Node, Element]]:
        inputs = node.inputs
        if type(node) is Where:
            condition = self.values(inputs[0])
            inputs = inputs[1:2] if condition[broadcast(element, condition.shape)] else inputs[2:3]
        for x in inputs:
            value = self.values(x)
            at = broadcast(element, value.shape)
            if is_inexact(value.dtype) and not np.isfinite(value[at]):
                yield x, at

    def _asked(self, node: Operation, element: Element) -> Iterable[tuple[Node, Element]]:
        """The inputs' bad elements without which this one would be finite."""
        inputs = node.inputs[0].inputs if type(node) is Item else node.inputs
        arrays = [self.values(x) for x in inputs]
        masks = [~np.isfinite(a) if is_bad(a) else None for a in arrays]
        if all(mask is None for mask in masks):
            return
        compute = _recomputed(node, arrays, masks, element)
        if compute([None] * len(inputs)):
            return  # bad with ordinary numbers too
        alone = [k for k, mask in enumerate(masks) if mask is not None and compute(_only(k, masks))]
        for k in alone or [k for k, mask in enumerate(masks) if mask is not None]:
            mask = masks[k]
            assert mask is not None
            yield inputs[k], _index(mask, _narrowed(k, mask, masks, compute))


Kept = Sequence[Array | None]  # for each input which bad elements stay; None: none of them


def _only(k: int, masks: Kept) -> Kept:
    return [mask if place == k else None for place, mask in enumerate(masks)]


def _narrowed(k: int, mask: Array, masks: Kept, compute: Callable[[Kept], bool]) -> int:
    """One bad element of input k, in flattened order, that makes the result bad, by halving."""
    left = np.flatnonzero(mask)
    alone = compute(_only(k, masks))
    while len(left) > 1:
        half = left[: len(left) // 2]
        part = np.zeros(mask.size, bool)
        part[half] = True
        kept = [part.reshape(mask.shape) if place == k else None if alone else other
                for place, other in enumerate(masks)]  # fmt: skip
        left = half if compute(kept) else left[len(left) // 2 :]
    return int(left[0])


def _recomputed(
    node: Operation, arrays: Sequence[Any], masks: Kept, element: Element
) -> Callable[[Kept], bool]:
    """Whether the element is bad still where only the bad elements that are kept stay."""
    function = _function(node)

    def bad(kept: Kept) -> bool:
        for stand_in in _STAND_INS:
            given = [
                a if mask is None else np.where(mask if k is None else mask & ~k, stand_in, a)
                for a, mask, k in zip(arrays, masks, kept, strict=True)
            ]
            given = [np.asarray(new, old.dtype) for new, old in zip(given, arrays, strict=True)]
            with np.errstate(all="ignore"):
                if np.isfinite(np.asarray(function(*given))[element]):
                    return False
        return True

    return bad


def _function(node: Operation) -> Callable[..., Any]:
    """A node's value from its inputs' values."""
    if type(node) is Item:
        parent: Any = node.inputs[0]
        inner, index = formula(parent), node.attributes["index"]
        return lambda *arrays: inner(*arrays)[index]
    if not isinstance(node, Composite):
        return formula(node)

    def rebuilt(*arrays: Any) -> Any:
        with graph_scope(None, hidden=True, observed=False):
            return node.rebuild([Constant(array) for array in arrays])._value

    return rebuilt


def broadcast(element: Element, shape: tuple[int, ...]) -> Element:
    """Where the element of a result is in an input of this shape."""
    behind = element[len(element) - len(shape) :] if shape else ()
    return tuple(0 if size == 1 else at for at, size in zip(behind, shape, strict=True))
