"""Algebraic simplification. It preserves values, except that a sum over one −0 stays −0, not +0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import bool_
from ..graph.leaves import Constant, Placeholder
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.registry import ops
from ..graph.traversal.order import postorder
from ..graph.traversal.replay import replay
from ..ops.contract import Matmul
from ..ops.elementwise.absorbing import AbsorbingProduct, DoublyAbsorbingProduct
from ..ops.elementwise.arithmetic import Add, Divide, Multiply, Negative, Positive, Pow, Subtract
from ..ops.elementwise.discrete import BitwiseAnd, Cast, OnesLike, StopGradient, ZerosLike
from ..ops.elementwise.selection import Where
from ..ops.layout.move import (
    BroadcastTo,
    ExpandDims,
    MatrixTranspose,
    PermuteDims,
    Place,
    Reshape,
    Squeeze,
)
from ..ops.reduction.reduce import Sum
from ..ops.state import After, AssignVariable, Latest
from ..shapes import size
from .program import Program
from .slabs import Slab, placed_slab


def simplify(program: Program, *, where: Callable[[Node], bool] | None = None) -> Program:
    """The program without identities and with operations replaced by cheaper equal ones.

    x·1, x/1, x − 0, x¹, x⁰, −(−x), `where` and `&` with constant conditions, casts to the same
    dtype and layouts that are the identity are removed; x² becomes a product; chains of reshapes or
    transpositions become one. Gradients of slices that make up an array are joined instead of added
    to zeros, where −0 stays −0, too. `where` says which operations may be replaced, and of which
    constants the values count, by default all.
    """
    if where is None:
        return program.rewritten(_simplified, only=RULES)
    return program.rewritten(
        lambda node: _simplified_knowing(node, where) if where(node) else node, only=RULES
    )


def _simplified_knowing(node: Operation, where: Callable[[Node], bool]) -> Node:
    """The node simplified, with placeholders in place of the constants whose values don't count."""
    unknown: dict[Node, Node] = {}
    for x in node.inputs:
        source = _source(x)
        if isinstance(source, Constant) and not where(source):
            state = {"_shape": x.shape, "_dtype": x.dtype, "weak": x.weak}
            unknown[x] = Placeholder.unchecked(state)
    if not unknown:
        return _simplified(node)
    inputs = [unknown.get(x, x) for x in node.inputs]
    asked = node.clone(inputs)
    better = _simplified(asked)
    if better is asked:
        return node
    given = {**dict(zip(inputs, inputs, strict=True)), **{y: x for x, y in unknown.items()}}
    order = postorder(better, inputs=lambda one: () if one in given else one.inputs)
    return replay(order, _rewired, given)[better]


def _rewired(node: Operation, inputs: list[Any]) -> Node:
    same = all(new is old for new, old in zip(inputs, node.inputs, strict=True))
    return node if same else node.rewired(inputs)


def _simplified(node: Operation) -> Node:
    rule = RULES.get(type(node))
    better = None if rule is None else rule(node, *node.inputs)
    if better is None or better is node:
        return node
    assert (better.shape, better.dtype) == (node.shape, node.dtype), (node, better)
    return better


def _source(x: Node) -> Node:
    """The array that x broadcasts, or x itself."""
    return x.inputs[0] if type(x) is BroadcastTo else x


def _is_all(x: Node, number: float) -> bool:
    if type(x) is BroadcastTo:
        x = x.inputs[0]
    if not isinstance(x, Constant):
        return False
    value = x._value
    if value.size == 1:  # nearly always
        return bool(value.item() == number)
    return value.size > 0 and bool(np.all(value == number))


def _multiply(z: Node, x: Any, y: Any) -> Node | None:
    if _is_all(y, 1) and x.shape == z.shape:
        return x
    return y if _is_all(x, 1) and y.shape == z.shape else None


def _absorbing_product(z: Node, x: Any, y: Any) -> Node | None:
    """A product is a plain one without a 0 in x, and without ±∞ and NaN in y."""
    first, second = _source(x), _source(y)
    nonzero = isinstance(first, Constant) and np.all(first.numpy() != 0)
    finite = isinstance(second, Constant) and np.isfinite(second.numpy()).all()
    if not (nonzero or finite):
        return None
    factor = _multiply(z, x, y)
    return ops.multiply(x, y) if factor is None else factor


def _doubly_absorbing_product(z: Node, x: Any, y: Any) -> Node | None:
    """A product is a plain one if one factor has neither 0 nor ±∞ and NaN."""
    for factor in map(_source, (x, y)):
        if isinstance(factor, Constant):
            value = factor.numpy()
            if np.all(value != 0) and np.isfinite(value).all():
                other = _multiply(z, x, y)
                return ops.multiply(x, y) if other is None else other
    return None


def _add(z: Node, x: Any, y: Any) -> Node | None:
    """Values placed among zeros, whose places make up the array, are joined along one axis."""
    if type(x) is not Place and type(y) is not Place:
        return None
    parts: list[Slab] = []
    stack = [x, y]
    while stack:
        node = stack.pop()
        if type(node) is Add and node.shape == z.shape:
            stack += node.inputs
            continue
        part = placed_slab(node) if type(node) is Place and len(parts) < _SLABS else None
        if part is None or node.dtype != z.dtype or node.shape != z.shape:
            return None
        parts.append(part)
    (axis, *others), size = {part.axis for part in parts}, 0
    parts.sort(key=lambda part: part.start)
    for part in parts:
        if part.start != size:
            return None
        size = part.stop
    if others or z.shape is None or size != z.shape[axis]:
        return None
    values = [ops.expand_dims(x.value, axis=axis) if x.number else x.value for x in parts]
    return ops.concat(values, axis=axis)


_SLABS = 64  # parts at most, because each of their sums is tried


def _divide(z: Node, x: Any, y: Any) -> Node | None:
    return x if _is_all(y, 1) and x.shape == z.shape else None


def _subtract(z: Node, x: Any, y: Any) -> Node | None:
    if not _is_all(y, 0) or x.shape != z.shape:
        return None
    zero = _source(y).numpy()
    return None if np.signbit(zero.real).any() or np.signbit(zero.imag).any() else x


def _pow(z: Node, x: Any, y: Any) -> Node | None:
    if x.shape != z.shape:
        return None
    if x.dtype != z.dtype:  # a boolean to a boolean is an integer
        return None
    if _is_all(y, 0):
        return ops.broadcast_to(Constant(np.asarray(1, z.dtype)), z.shape)
    return x if _is_all(y, 1) else ops.square(x) if _is_all(y, 2) else None


def _where(z: Node, c: Any, x: Any, y: Any) -> Node | None:
    for chosen, truth in ((x, True), (y, False)):
        if _is_all(c, truth):
            return chosen if chosen.shape == z.shape else ops.broadcast_to(chosen, z.shape)
    return None


def _and(z: Node, x: Any, y: Any) -> Node | None:
    for one, other in ((x, y), (y, x)):
        if z.dtype == bool_ and _is_all(one, False):
            return ops.broadcast_to(Constant(np.asarray(False)), z.shape)
        if z.dtype == bool_ and _is_all(one, True) and other.shape == z.shape:
            return other
    return None


def _negative(y: Node, x: Any) -> Node | None:
    return x.inputs[0] if type(x) is Negative else None


def _identity(y: Node, x: Any) -> Node | None:
    if x.weak is not None:  # a fed number, which y gives a dtype that counts in promotion
        return None
    return x if (x.shape, x.dtype) == (y.shape, y.dtype) else None


def _filled(number: int) -> Callable[..., Node]:
    def rule(y: Any, x: Any) -> Node:
        return ops.broadcast_to(Constant(np.asarray(number, y.dtype)), y.shape)

    return rule


def _reshape(y: Any, x: Any) -> Node | None:
    inner = x.inputs[0] if type(x) in (Reshape, ExpandDims, Squeeze) else x
    if inner.shape == y.shape:
        return inner
    if type(x) is Matmul and (product := _product_with_vector(y, *x.inputs)) is not None:
        return product
    return None if inner is x else ops.reshape(inner, y.shape)


def _product_with_vector(y: Any, a: Any, b: Any) -> Node | None:
    """A product with a vector that was made a column or a row, without that axis: ∂(Wx)/∂x·g is
    one. A loop keeps a vector in a register, and a column in as many as it has elements."""
    if not (a.ndim == b.ndim == 2 and y.ndim == 1):
        return None
    if b.shape[1] == 1:
        x, w = b, a
    elif a.shape[0] == 1:
        x, w = a, b
    else:
        return None  # an outer product, say
    if type(x) not in (Reshape, ExpandDims) or x.inputs[0].ndim != 1:
        return None
    (vector,) = x.inputs
    if type(w) is MatrixTranspose:
        return ops.matmul(vector, w.inputs[0]) if w is a else ops.matmul(w.inputs[0], vector)
    return ops.matmul(w, vector) if w is a else ops.matmul(vector, w)


def _transpose(y: Any, x: Any) -> Node | None:
    order, same_order = _order(y), tuple(range(y.ndim))
    if type(x) in (PermuteDims, MatrixTranspose):
        before = _order(x)
        x, order = x.inputs[0], tuple(before[axis] for axis in order)
    elif type(y) is PermuteDims and order != same_order:
        return None
    if order == same_order:
        return x
    return None if x is y.inputs[0] else ops.permute_dims(x, order)


def _order(y: Any) -> tuple[int, ...]:
    ndim: int = y.ndim
    if type(y) is MatrixTranspose:
        return (*range(ndim - 2), ndim - 1, ndim - 2)
    return y.order(ndim)


def _sum(y: Any, x: Any) -> Node | None:
    return ops.reshape(x, y.shape) if x.dtype == y.dtype and _same_count(x, y) else None


def _same_count(x: Any, y: Any) -> bool:
    return size(x.shape) == size(y.shape) != 0


# The rule of each operation, which returns None where it doesn't apply. Tests add wrong rules.
RULES: dict[type, Callable[..., Node | None]] = {
    Add: _add,
    AbsorbingProduct: _absorbing_product,
    DoublyAbsorbingProduct: _doubly_absorbing_product,
    Multiply: _multiply,
    Divide: _divide,
    Subtract: _subtract,
    Pow: _pow,
    Where: _where,
    BitwiseAnd: _and,
    Negative: _negative,
    Positive: _identity,
    StopGradient: _identity,
    Cast: _identity,
    AssignVariable: _identity,
    Latest: _identity,
    After: lambda y, x, *others: x,  # the others' assignments are updates of the Program by now
    OnesLike: _filled(1),
    ZerosLike: _filled(0),
    BroadcastTo: _identity,
    Reshape: _reshape,
    ExpandDims: _reshape,
    Squeeze: _reshape,
    PermuteDims: _transpose,
    MatrixTranspose: _transpose,
    Sum: _sum,
}
