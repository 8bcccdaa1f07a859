"""Granularity: the same computation with one node per number, or one per row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Literal

import numpy as np

from ...dtypes import Array
from ...errors import GraphError
from ...graph.context import built_at, graph_scope
from ...graph.kinds import AnonymousGraph, Composite, Elementwise, Layout, Reduce
from ...graph.leaves import Constant, Placeholder, Variable
from ...graph.node import Node
from ...graph.operation import MultipleOutputs, is_known
from ...graph.registry import ops
from ...graph.traversal.order import postorder
from ...ops.contract import Matmul
from ...shapes import sizes
from ..names import is_named, names_of

Granularity = Literal["tensor", "vector", "scalar"]
MOST = 4000  # the largest number of nodes after splitting


def split(roots: Sequence[Node], granularity: Granularity) -> list[Node]:
    """Nodes that compute the same values as `roots`: one per number or, with "vector", one per row
    along the last axis.

    Matrix products and reductions are expanded into scalar operations. Any other operation stays
    one node, whose result is indexed. Elements keep their values, gradients and names. Raises
    GraphError if a shape is unknown or the result has more than MOST nodes.
    """
    return list(_Splitter(roots, 0 if granularity == "scalar" else 1).results())


class _Splitter:
    """Replaces each node by an array of smaller nodes, which keep the last `inner_axes` axes."""

    def __init__(self, roots: Sequence[Node], inner_axes: int) -> None:
        self.roots, self.inner_axes = roots, inner_axes
        self.order = postorder(*roots)
        self.names = names_of(self.order)
        self.parts: dict[int, Array] = {}
        self.count = 0

    def results(self) -> list[Node]:
        for node in self.order:
            if not is_known(node) or isinstance(node, MultipleOutputs):
                raise GraphError(
                    f"draw: {node.label()} can't be split into elements{node.built()}: its shape "
                    "isn't known, or it has several outputs.",
                    hint="Give the placeholders shapes and dtypes.",
                )
        deferred = any(node.deferred for node in self.order)
        with graph_scope(AnonymousGraph() if deferred else None, hidden=True):
            for node in self.order:
                with built_at(node._origin):
                    parts = self._leaf(node) if not node.inputs else self._operation(node)
                self._annotate(node, parts)
                self.parts[id(node)] = parts
                self.count += parts.size
                if self.count > MOST:
                    raise GraphError(
                        f"draw: more than {MOST} nodes at this granularity.",
                        hint='Draw a smaller example, or use granularity="tensor".',
                    )
        return [part for root in self.roots for part in self.parts[id(root)].flat]

    # ---------------------------------------------------------------- shapes

    def _shapes(self, node: Node) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The shape of the array of a node's parts, and the shape of each part."""
        shape = sizes(node.shape)
        at = max(len(shape) - self.inner_axes, 0)
        return shape[:at], shape[at:]

    def _array(self, outer: tuple[int, ...], make: Callable[[tuple[int, ...]], Node]) -> Array:
        parts = np.empty(outer, object)
        for index in np.ndindex(outer):
            parts[index] = make(index)
        return parts

    def _leaf(self, node: Node) -> Array:
        outer, inner = self._shapes(node)
        if isinstance(node, Placeholder):
            return self._array(outer, lambda _: Placeholder(inner, dtype=node.dtype))
        value = node.numpy()
        if isinstance(node, Variable):
            return self._array(outer, lambda index: _variable(value[index], node.trainable))
        scalar = node.scalar if isinstance(node, Constant) else None

        def make(index: tuple[int, ...]) -> Node:
            element = Constant(value[index])
            element.scalar = scalar if not inner else None
            return element

        return self._array(outer, make)

    def _annotate(self, node: Node, parts: Array) -> None:
        """Give each part a subscripted name, and its element of the node's value and gradient."""
        name = self.names[id(node)]
        named = is_named(node, name) and not name.startswith("∂")
        gradient = None if node.grad is None else node.grad.value
        for index in np.ndindex(parts.shape):
            part: Any = parts[index]
            if named and (part._name is None or part.inputs == ()):
                part._name = name + subscripts(index, parts.shape)
            if gradient is not None and part.grad is None:
                part.grad = Constant(gradient[index])
            if node._cached_value is not None and part._value is None:
                part._cached_value = node._cached_value[index]

    # ---------------------------------------------------------------- operations

    def _operation(self, node: Any) -> Array:
        inputs = [self.parts[id(x)] for x in node.inputs]
        if isinstance(node, Elementwise):
            return self._elementwise(node, inputs)
        if isinstance(node, Composite):
            return self._expanded(node)
        if isinstance(node, Reduce) and self.inner_axes == 0 and _is_chain(node):
            return self._reduced(node, inputs[0])
        if isinstance(node, Matmul) and self.inner_axes == 0:
            return _product(*inputs)
        if isinstance(node, Matmul) and node.ndim == 2 and node.inputs[1].ndim == 2:
            return self._rows_times(node, inputs)
        if isinstance(node, Layout) and self.inner_axes == 0:
            return self._moved(node, inputs)
        return self._whole(node, inputs)

    def _elementwise(self, node: Any, inputs: Sequence[Array]) -> Array:
        outer, inner = self._shapes(node)
        if inner and any(x.ndim and not self._shapes(x)[1] for x in node.inputs):
            return self._whole(node, inputs)
        spread = [np.broadcast_to(x, outer) for x in inputs]
        return self._array(outer, lambda index: node.rebuild([x[index] for x in spread]))

    def _expanded(self, node: Any) -> Array:
        """The expansion of a composite, on the parts of its inputs."""
        ends = set(node.inputs)
        inner = postorder(node.expansion, inputs=lambda x: () if x in ends else x.inputs)
        for x in inner:
            if id(x) not in self.parts:
                self.parts[id(x)] = self._operation(x) if x.inputs else self._leaf(x)
        self.held = [*getattr(self, "held", []), *inner]  # keeps the ids unique
        return self.parts[id(node.expansion)]

    def _reduced(self, node: Any, x: Array) -> Array:
        axes, keepdims = node.attributes["axis"], node.attributes["keepdims"]
        chosen = range(x.ndim) if axes is None else axes if isinstance(axes, tuple) else (axes,)
        chosen = sorted(axis % x.ndim for axis in chosen)
        rest = [axis for axis in range(x.ndim) if axis not in chosen]
        rows = x.transpose([*rest, *chosen]).reshape([x.shape[axis] for axis in rest] + [-1])
        function = getattr(ops, node.combines_by)
        outer = tuple(x.shape[axis] for axis in rest)
        parts = self._array(outer, lambda index: reduce(function, rows[index]))
        return parts.reshape(sizes(node.shape)) if keepdims else parts

    def _rows_times(self, node: Any, inputs: Sequence[Array]) -> Array:
        """The product x @ y, one node per row: (row of x) @ y."""
        whole = self._joined(node.inputs[1], inputs[1])
        return self._array((node.shape[0],), lambda index: ops.matmul(inputs[0][index], whole))

    def _moved(self, node: Any, inputs: Sequence[Array]) -> Array:
        """Applies the layout operation to the element numbers, to find each element's source."""
        flat = [element for x in inputs for element in x.flat]
        starts = np.cumsum([0, *(x.size for x in inputs)])
        numbers = [
            np.arange(start + 1, start + 1 + x.size).reshape(x.shape)
            for start, x in zip(starts, inputs)
        ]
        moved = np.asarray(node.compute(*numbers))  # 0 where the operation fills in zeros
        return self._array(
            moved.shape,
            lambda at: flat[moved[at] - 1] if moved[at] else Constant(np.zeros((), node.dtype)),
        )

    def _whole(self, node: Any, inputs: Sequence[Array]) -> Array:
        """The operation on its reassembled operands, with its result indexed."""
        whole = node.rebuild(
            [self._joined(x, parts) for x, parts in zip(node.inputs, inputs, strict=True)]
        )
        outer, _ = self._shapes(node)
        return self._array(outer, lambda index: whole[index] if index else whole)

    def _joined(self, node: Node, parts: Array) -> Node:
        """The parts of a node, stacked into one node again."""
        if parts.ndim == 0:
            return parts.item()
        stacked = ops.stack(list(parts.flat))
        return stacked if parts.ndim == 1 else ops.reshape(stacked, sizes(node.shape))


def _is_chain(node: Reduce) -> bool:
    """Whether the reduction is one function of two elements, again and again."""
    (x,) = node.inputs if node.is_plain else (node,)
    return node.combines_by in vars(ops) and x.dtype == node.dtype and 0 not in sizes(x.shape)


def _variable(value: Array, trainable: bool) -> Variable:
    with graph_scope(None):
        return Variable(value, trainable=trainable)


def _product(x: Array, y: Array) -> Array:
    """The product of two arrays of nodes, with the broadcasting rules of np.matmul."""
    left = x if x.ndim > 1 else x[None, :]
    right = y if y.ndim > 1 else y[:, None]
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = np.broadcast_to(left, (*batch, *left.shape[-2:]))
    right = np.broadcast_to(right, (*batch, *right.shape[-2:]))
    z = np.empty((*batch, left.shape[-2], right.shape[-1]), object)
    for *at, i, j in np.ndindex(z.shape):
        row, column = left[(*at, i)], right[(*at, slice(None), j)]
        z[(*at, i, j)] = reduce(ops.add, map(ops.multiply, row, column))
    z = z[..., 0] if y.ndim == 1 else z
    return z[..., 0, :] if x.ndim == 1 and y.ndim > 1 else z[..., 0] if x.ndim == 1 else z


def subscripts(index: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """₁₂ for the element in row 1 and column 2; with commas if a number has two digits."""
    places = ["".join(chr(0x2080 + int(digit)) for digit in str(place + 1)) for place in index]
    return (",".join if any(size > 9 for size in shape) else "".join)(places)
