"""The local Jacobian of a node with a value, as an operator of the structure that its kind has."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autodiff.gradients import gradients
from ...dtypes import Array, is_floating, is_inexact
from ...errors import ArgumentError, GradientError
from ...graph.context import graph_scope
from ...graph.kinds import AnonymousGraph, Elementwise, Gather, Layout, Reduce, ScatterAdd
from ...graph.leaves import Constant, Placeholder
from ...graph.node import Node
from ...graph.operation import Item, MultipleOutputs, Operation
from ...graph.promotion import tensor
from ...maths.numpy import numpy_maths
from ...messages.calls import public
from ...messages.checks import whole as whole_number
from ...ops.contract import Matmul
from ...shapes import axes_in, size, sizes
from ..compressed import Plan, jacobian_plan, products
from ..propagate import dependence
from ..sparsity import Sparsity
from . import algebra as algebra
from .base import DENSE_BUDGET, JacobianOperator, size_text
from .structured import Block, Dense, Diagonal, Kronecker, Outer, Selection, Sparse, Zero

_FULL = 0.5  # the share of places from which on a matrix is kept whole
_PLANS, _KEPT = 64, 100_000  # how many plans are kept, and the most places of one
_plans: dict[Any, Plan] = {}


@public
def local_jacobian(y: Any, position: int = 0) -> JacobianOperator:
    """∂y/∂x of a computed node y in its input number `position`, as an operator: a matrix of shape
    (size of y, size of x) that keeps the structure of the operation.

    It has products `J @ v` and `u @ J`, compositions and sums with other operators, `.T`,
    `.nbytes`, `.dense()` and `.sparse()`.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> x, w = pg.tensor(np.ones((100, 50))), pg.tensor(np.ones((50, 20)))
    >>> slope = pg.local_jacobian(x @ w, 0)
    >>> slope
    Kronecker(2000 × 5000 float64, 8 kB)
    >>> (slope @ np.ones(5000))[:3]
    array([50., 50., 50.])
    """
    if not isinstance(y, Operation):
        raise ArgumentError(
            f"local_jacobian: expected a node that an operation computed, got {y!r:.40}."
        )
    if isinstance(y, MultipleOutputs):
        raise ArgumentError(
            f"local_jacobian: {y.label()} has {len(y.items)} outputs.",
            hint="Give one of them: pg.local_jacobian(y.items[0], 0).",
        )
    whole = y.inputs[0] if type(y) is Item else y
    if not isinstance(whole, Operation) or whole.deferred:
        raise GradientError(
            f"local_jacobian: {y.label()} has no value{y.built()}.",
            hint="Compute it from tensors, outside of a graph.",
        )
    position = whole_number("local_jacobian: position", position, least=0, like=0)
    if position >= len(whole.inputs):
        raise ArgumentError(
            f"local_jacobian: {y.label()} has {len(whole.inputs)} inputs, not one of number "
            f"{position}."
        )
    x: Any = whole.inputs[position]
    for node in (x, y):
        if is_inexact(node.dtype) and not is_floating(node.dtype):
            raise GradientError(f"local_jacobian: {node.label()} is {node.dtype}, expected floats.")
    if not is_floating(x.dtype) or not is_floating(y.dtype):
        return Zero((size(y.shape), size(x.shape)), y.dtype if is_floating(y.dtype) else x.dtype)
    with graph_scope(None, hidden=True):
        found = _structured(y, position) if y is whole else None
        return _by_products(whole, y, position) if found is None else found


def _structured(y: Any, position: int) -> JacobianOperator | None:
    """The operator that y's kind has, None where its entries are to be computed."""
    if isinstance(y, Elementwise):
        return _elementwise(y, position)
    if not y._shipped:
        return None
    if isinstance(y, Layout):
        places = [np.zeros(sizes(one.shape), np.int64) for one in y.inputs]
        places[position] = _places(y.inputs[position]) + 1
        index = np.asarray(y.f(numpy_maths, *places, **y.attributes)).ravel() - 1
        return Selection(index, places[position].size, None, y.dtype)
    if isinstance(y, Reduce) and len(y.inputs) == 1:
        return _reduced(y)
    if isinstance(y, Matmul):
        return _matmul(y, position)
    if isinstance(y, Gather) and position == 0:
        x, *indices = y.inputs
        index = y.f(numpy_maths, _places(x), *[one.value for one in indices], **y.attributes)
        return Selection(np.asarray(index).ravel(), size(x.shape), None, y.dtype)
    if isinstance(y, ScatterAdd) and position == 0:
        index = numpy_maths.take(_places(y), y.inputs[1].value, axis=y.axis).ravel()
        return Selection(index, size(y.shape), None, y.dtype).T
    return None


def _places(x: Node) -> Array:
    """The flat index of each element."""
    return np.arange(size(x.shape)).reshape(sizes(x.shape))


def _elementwise(y: Elementwise, position: int) -> JacobianOperator | None:
    """diag(slope), with the columns of a broadcast input repeated."""
    if type(y).d is Elementwise.d or type(y).vjp is not Elementwise.vjp:
        return None
    x, shape = y.inputs[position], sizes(y.shape)
    rows, columns = size(shape), size(x.shape)
    slope = y._slopes(y.inputs)[position]
    slope = slope() if callable(slope) else slope
    if slope is None or (isinstance(slope, (int, float)) and slope == 0):
        return Zero((rows, columns), y.dtype)
    value: Any = slope.value if isinstance(slope, Node) else np.asarray(slope)
    weights = np.broadcast_to(value, shape).astype(y.dtype).ravel()
    if rows == columns:
        return Diagonal(weights)
    index = np.broadcast_to(_places(x), shape).ravel()
    return Selection(index, columns, weights, None)


def _reduced(y: Any) -> JacobianOperator:
    """One row for each result: an element of x contributes to one, with the slope of the total."""
    x = y.inputs[0]
    own = tensor(x.value)
    slope: Any = gradients(y.rebuild([own]), own, gradient=np.ones(sizes(y.shape), y.dtype))
    weights = slope.value.ravel()
    if size(y.shape) == 1:
        return Outer(np.ones(1, y.dtype), weights)
    shape, axes = sizes(x.shape), axes_in(y.axis, x.ndim or 0)
    kept = tuple(1 if axis in axes else length for axis, length in enumerate(shape))
    index = np.broadcast_to(np.arange(size(y.shape)).reshape(kept), shape).ravel()
    return Selection(index, size(y.shape), weights, None).T


def _matmul(z: Any, position: int) -> JacobianOperator | None:
    """z = x·y in row-major order: ∂z/∂x = I ⊗ yᵀ, ∂z/∂y = x ⊗ I."""
    x, y = (one.value for one in z.inputs)
    if x.ndim > 2 or y.ndim > 2:
        return None
    left = x[None, :] if x.ndim == 1 else x
    right = y[:, None] if y.ndim == 1 else y
    if position == 0:
        return Kronecker(left.shape[0], right.T, z.dtype)
    return Kronecker(left, right.shape[1], z.dtype)


def _by_products(whole: Operation, y: Any, position: int) -> JacobianOperator:
    """The entries at the places of the pattern, by few passes through the operation's rules."""
    values: list[Any] = [one.value for one in whole.inputs]

    def of(x: Node) -> Node:
        others = map(Constant, values)
        return _output(whole, y, [x if at == position else one for at, one in enumerate(others)])

    x = tensor(values[position])
    if size(y.shape) == 1:
        row: Any = gradients(of(x), x, gradient=np.ones(sizes(y.shape), y.dtype))
        return Outer(np.ones(1, y.dtype), row.value.ravel())
    plan = _planned(whole, y, position)
    sparsity = plan.sparsity
    if not sparsity.nnz:
        return Zero(sparsity.shape, y.dtype)
    parts: list[Any] = [
        products(of(x), x, plan, Constant(plan.colours), Constant(np.int32(first))).value
        for first in range(0, plan.count, plan.at_once)
    ]
    entries = np.concatenate(parts)
    entries = entries if plan.places is None else entries[plan.places]
    return _named(entries, sparsity, plan)


def _output(whole: Operation, y: Any, inputs: list[Any]) -> Node:
    """The operation on other inputs; of several outputs that which y is."""
    node = whole.rebuild(inputs)
    return node.items[y.attributes["index"]] if isinstance(node, MultipleOutputs) else node


def _planned(whole: Operation, y: Any, position: int) -> Plan:
    """The pattern of ∂y/∂x and its colouring. They are kept for library operations: floats among
    the other inputs are taken for unknown."""
    given = [(x.shape, x.dtype) if is_floating(x.dtype) else _fixed(x) for x in whole.inputs]
    index = y.attributes["index"] if y is not whole else None
    key = (type(whole), tuple(whole.attributes.items()), *given, position, index)
    try:
        if (plan := _plans.get(key)) is not None:
            return plan
    except TypeError:  # an attribute that isn't hashable
        key = None
    with graph_scope(AnonymousGraph(), hidden=True):
        inputs: list[Any] = [
            Placeholder(x.shape, dtype=x.dtype) if is_floating(x.dtype) else Constant(x.value)
            for x in whole.inputs
        ]
        starts, items = dependence(_output(whole, y, inputs), inputs[position])
    sparsity = Sparsity(starts, items, (size(y.shape), size(whole.inputs[position].shape)))
    needed = sparsity.nnz * (y.dtype.itemsize + 4)
    if needed > DENSE_BUDGET:
        raise ArgumentError(
            f"local_jacobian: ∂{y.label()}/∂x of {sparsity.shape[0]} × {sparsity.shape[1]} would "
            f"take {size_text(needed)}, the budget is {size_text(DENSE_BUDGET)}.",
            hint="Take products: pg.vjp and pg.jvp of the operation.",
        )
    plan = jacobian_plan(sparsity, None, "csr")
    if key is not None and whole._shipped and sparsity.nnz <= _KEPT:
        while len(_plans) >= _PLANS:
            _plans.pop(next(iter(_plans)), None)
        _plans[key] = plan
    return plan


def _fixed(x: Any) -> Any:
    """Integers or booleans by value."""
    return x.shape, x.dtype, x.value.tobytes()


def _named(entries: Any, sparsity: Sparsity, plan: Plan) -> JacobianOperator:
    """Block diagonal, dense or sparse, as the places are."""
    rows, columns = sparsity.shape
    blocks = _blocks(sparsity)
    if blocks is not None and blocks[0] > 1:
        return Block(entries.reshape(blocks))
    if sparsity.density >= _FULL:
        full = np.zeros((rows, columns), entries.dtype)
        full[sparsity.rows, sparsity.indices] = entries
        return Dense(full)
    return Sparse(plan.matrix(entries))


def _blocks(sparsity: Sparsity) -> tuple[int, int, int] | None:
    """(count, rows, columns) of equal blocks on the diagonal, where the places are these."""
    rows, columns = sparsity.shape
    width = int(sparsity.indptr[1])
    if not width or columns % width or rows % (columns // width):
        return None
    count = columns // width
    height = rows // count
    expected = (np.arange(rows) // height * width)[:, None] + np.arange(width)
    if sparsity.nnz != rows * width or not np.array_equal(sparsity.indices, expected.ravel()):
        return None
    return count, height, width
