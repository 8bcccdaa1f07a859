"""The origin of a NaN or an infinity: searches back from a result to the operation that caused it.

A bad (non-finite) element originates at a node if the inputs it depends on are finite; otherwise
it comes from bad elements of the inputs. For an elementwise operation, broadcasting tells which
ones. For any other operation, the search replaces bad input elements by ordinary numbers and
recomputes the formula. Elements that don't reach the result, such as those in the branch that
`where` doesn't select, are never visited.
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
from ...ops.elementwise.selection import Where

Element = tuple[int, ...]
Values = Callable[[Node], Any]

_ORDINARY = (0.5, 2.0)  # ordinary numbers; at least one is in the domain of every operation
_ELEMENTS = 4  # the largest number of elements visited per node


@dataclass(frozen=True)
class NonFiniteOrigin:
    """The origin of a bad element: its inputs are finite, or it is a NaN made from infinities.

    `trail` is the path from the origin to the result: each node with its bad element. `order` holds
    the nodes that the result depends on, in topological order. `infinite` is whether the NaN was
    made from infinities, and `leaf` the leaf that holds one of these, if it is in one.
    """

    node: Node
    element: Element
    trail: tuple[tuple[Node, Element], ...]
    order: list[Node]
    infinite: bool = False
    leaf: Node | None = None

    def extended(self, nodes: Sequence[Node]) -> NonFiniteOrigin:
        """A copy with `nodes` that the result doesn't depend on appended to `order`."""
        seen = set(self.order)
        return replace(self, order=[*self.order, *(node for node in nodes if node not in seen)])


def is_bad(value: Any) -> bool:
    """Whether the value is a floating-point array with a NaN or an infinity."""
    return isinstance(value, np.ndarray) and is_inexact(value.dtype) and not _finite(value)


def _finite(value: Array) -> bool:
    return bool(np.isfinite(value).all())


def dependencies_of(node: Node) -> tuple[Node, ...]:
    """The inputs of a node; for a composite or a folded constant, the node it was computed by."""
    expanded = _expanded(node)
    return node.inputs if expanded is None else (expanded,)


def _expanded(node: Node) -> Node | None:
    """The expansion of a composite, or the node that constant folding replaced; else None."""
    if isinstance(node, Composite):
        if node._expansion is None and node._shipped and is_bad(node._value):
            # Its value came from cached steps (`eager/composites.py`), which leave no nodes.
            with graph_scope(None, hidden=True, observed=False):
                return node.expansion
        expansion = node._expansion
        return None if expansion is None or expansion._value is None else expansion
    return node.folded if isinstance(node, Constant) else None


def known(node: Node) -> Any:
    """The value of a node, read without notifying observers."""
    return node._known()


def find_origin(
    roots: Iterable[Node], values: Values = known, *, inputs: bool = False
) -> NonFiniteOrigin | None:
    """Returns the earliest origin of the non-finite values in `roots`, or None.

    What precedes differentiation is earlier than derivatives. Values that are non-finite already
    in a leaf have no origin, unless an operation makes a NaN from an infinity; with inputs=True it
    is the leaf.
    """
    bad = [root for root in dict.fromkeys(roots) if is_bad(values(root))]
    if not bad:
        return None
    order = postorder(*bad, inputs=dependencies_of)
    search = _Search(values)
    for root in bad:
        for element in _examples(values(root)):
            search.start(root, element)
    origins = [*search.origins, *search.converted] or (search.leaves if inputs else [])
    if not origins:
        return None
    place = {node: number for number, node in enumerate(order)}
    node, element = min(origins, key=lambda pair: (level_of(pair[0]._origin), place[pair[0]]))
    infinite = (node, element) in search.converted
    leaf = search.leaf_behind(node, element) if infinite else None
    return NonFiniteOrigin(node, element, search.trail(node, element), order, infinite, leaf)


def _examples(value: Array) -> list[Element]:
    """The first NaN, the first ∞ and the first −∞ of an array."""
    tests = (np.isnan(value), value == np.inf, value == -np.inf)
    return [_index(value, int(np.argmax(test))) for test in tests if test.any()]


def _index(value: Array, place: int) -> Element:
    return tuple(int(at) for at in np.unravel_index(place, value.shape))


class _Search:
    """A depth-first search from bad elements to their origins, a few elements per node."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.origins: list[tuple[Node, Element]] = []
        self.converted: dict[tuple[Node, Element], None] = {}  # NaN made from ∞
        self.leaves: list[tuple[Node, Element]] = []
        self._next: dict[tuple[Node, Element], tuple[Node, Element] | None] = {}
        self._visits: dict[Node, int] = {}

    def start(self, root: Node, element: Element) -> None:
        """Search from one element of a result."""
        stack: list[tuple[Node, Element]] = []
        self._visit(root, element, None, stack)
        while stack:
            node, element = stack.pop()
            if not isinstance(node, Operation) and not dependencies_of(node):
                self.leaves.append((node, element))
                continue
            sources = list(self._sources(node, element))
            if not sources:
                self.origins.append((node, element))
            elif self._converts(node, element, sources):
                self.converted[node, element] = None
            for x, at in sources:
                self._visit(x, at, (node, element), stack)

    def trail(self, node: Node, element: Element) -> tuple[tuple[Node, Element], ...]:
        """The path from an element to the result."""
        path: list[tuple[Node, Element]] = []
        step: tuple[Node, Element] | None = (node, element)
        while step is not None:
            path.append(step)
            step = self._next[step]
        return tuple(path)

    def leaf_behind(self, node: Node, element: Element) -> Node | None:
        """The leaf whose infinity this element was made from; None if an operation made it."""
        while isinstance(node, Operation) or dependencies_of(node):
            sources = list(self._sources(node, element))
            if not sources:
                return None
            node, element = sources[0]
        return node

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

    def _converts(self, node: Node, element: Element, sources: list[tuple[Node, Element]]) -> bool:
        """Whether this node made a NaN from infinities."""
        made = bool(np.isnan(self.values(node)[element]))
        return made and not any(np.isnan(self.values(x)[at]) for x, at in sources)

    def _sources(self, node: Node, element: Element) -> Iterable[tuple[Node, Element]]:
        expanded = _expanded(node)
        if expanded is not None:  # has the same elements
            return [(expanded, element)]
        if isinstance(node, Elementwise):
            return self._broadcast(node, element)
        assert isinstance(node, Operation)
        return self._substituted(node, element)

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

    def _substituted(self, node: Operation, element: Element) -> Iterable[tuple[Node, Element]]:
        """The bad input elements that cause this one, found by substituting ordinary numbers."""
        inputs = node.inputs[0].inputs if type(node) is Item else node.inputs
        arrays = [self.values(x) for x in inputs]
        masks = [~np.isfinite(a) if is_bad(a) else None for a in arrays]
        if all(mask is None for mask in masks):
            return
        stays_bad = _recomputation(node, arrays, masks, element)
        if stays_bad([None] * len(inputs)):
            return  # bad for ordinary inputs too: this node is the origin
        alone = [
            k for k, mask in enumerate(masks) if mask is not None and stays_bad(_only(k, masks))
        ]
        for k in alone or [k for k, mask in enumerate(masks) if mask is not None]:
            mask = masks[k]
            assert mask is not None
            yield inputs[k], _index(mask, _bisected(k, mask, masks, stays_bad))


Masks = Sequence[Array | None]  # per input, which bad elements stay in place; None: none of them


def _only(k: int, masks: Masks) -> Masks:
    return [mask if place == k else None for place, mask in enumerate(masks)]


def _bisected(k: int, mask: Array, masks: Masks, stays_bad: Callable[[Masks], bool]) -> int:
    """The flat index of one bad element of input k that makes the result bad, by bisection."""
    left = np.flatnonzero(mask)
    alone = stays_bad(_only(k, masks))
    while len(left) > 1:
        half = left[: len(left) // 2]
        part = np.zeros(mask.size, bool)
        part[half] = True
        partial = [part.reshape(mask.shape) if place == k else None if alone else other
                   for place, other in enumerate(masks)]  # fmt: skip
        left = half if stays_bad(partial) else left[len(left) // 2 :]
    return int(left[0])


def _recomputation(
    node: Operation, arrays: Sequence[Any], masks: Masks, element: Element
) -> Callable[[Masks], bool]:
    """A predicate: whether the element is still bad if only the given bad elements stay and all
    others are replaced by ordinary numbers."""
    function = computed_by(node)

    def stays_bad(kept: Masks) -> bool:
        for ordinary in _ORDINARY:
            inputs = [
                a if mask is None else np.where(mask if k is None else mask & ~k, ordinary, a)
                for a, mask, k in zip(arrays, masks, kept, strict=True)
            ]
            inputs = [np.asarray(new, old.dtype) for new, old in zip(inputs, arrays, strict=True)]
            with np.errstate(all="ignore"):
                if np.isfinite(np.asarray(function(*inputs))[element]):
                    return False
        return True

    return stays_bad


def computed_by(node: Operation) -> Callable[..., Any]:
    """The function that computes a node's value from the values of its inputs."""
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
    """The index in an input of this shape that broadcasts to an element of the result."""
    trailing = element[len(element) - len(shape) :] if shape else ()
    return tuple(0 if size == 1 else at for at, size in zip(trailing, shape, strict=True))
