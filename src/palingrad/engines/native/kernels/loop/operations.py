"""Operations on small arrays in registers, and the instructions that each takes, about."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .....dtypes import is_floating, is_integer
from .....graph.kinds import Contract, Elementwise, Layout, Reduce
from .....graph.operation import MultipleOutputs, Operation
from .....shapes import axes_in, size, sizes
from ....numpy import formula as formula_in_numpy
from ...llvm.loops import mask_of
from ...llvm.values import Value, chosen, supported
from .. import formula, reducers
from ..formula import dtype_of
from .registers import NOTHING, Form, Registers, Table

_PARTS = 4  # sums of a product's terms, which don't wait for one another
_WIDE = 8  # vectors of a product that keep a CPU busy with one sum each
_CHAIN = 2  # vectors of an array whose operations are a chain: most of their time is latency


# ---------------------------------------------------------------- what there is


def fits(node: Operation) -> bool:
    """Whether the operation can be computed in registers."""
    if isinstance(node, MultipleOutputs) or not node._shipped or list(node.bounds()):
        return False
    if not all(supported(x.dtype) and size(x.shape) for x in (node, *node.inputs)):
        return False
    if isinstance(node, Elementwise):
        return formula.fits(node)
    if isinstance(node, Reduce):
        return len(node.inputs) == 1 and reducers.fits(node)
    if isinstance(node, Contract):
        return is_floating(node.dtype) or is_integer(node.dtype)
    return isinstance(node, Layout) and table_of(node) is not None


def work(node: Operation, most: int) -> int:
    """The number of instructions of an operation that fits, about."""
    form = Form.of(sizes(node.shape), most)
    if isinstance(node, Elementwise):
        return form.vectors * (formula.weight(node) or 1)
    if isinstance(node, Contract):
        return 2 * form.vectors * sizes(node.inputs[0].shape)[-1]
    if isinstance(node, Reduce):
        return 2 * Form.of(sizes(node.inputs[0].shape), most).vectors + 8 * form.rows
    return form.vectors


def table_of(node: Operation) -> Table | None:
    """For each element of a layout its place in all elements of the inputs, one after another; None
    if the node's formula isn't such a table."""
    starts = np.cumsum([0, *(size(x.shape) for x in node.inputs)])
    places = [
        np.arange(start, start + size(x.shape)).reshape(sizes(x.shape))
        for start, x in zip(starts, node.inputs, strict=False)
    ]
    move = formula_in_numpy(node)
    # Numbers that the formula itself puts there, other than 0, differ between the two.
    first, second = (np.asarray(move(*(place + one for place in places))) for one in (1, 2))
    inside = first != 0
    if first.shape != node.shape or not np.array_equal(second, first + inside):
        return None
    return np.where(inside, first - 1, NOTHING).astype(np.int64)


# ---------------------------------------------------------------- code


def computed(node: Operation, xs: Sequence[Registers | None], most: int) -> Registers:
    """Emits an operation on arrays; an input that is a number of the code is None."""
    form = Form.of(sizes(node.shape), most)
    given = [x for x in xs if x is not None]
    if isinstance(node, Layout):
        table = table_of(node)
        assert table is not None
        return Registers.moved(form, given, table)
    if isinstance(node, Elementwise):
        new = _elementwise(node, xs, form)
    elif isinstance(node, Reduce):
        new = _reduced(node, given[0], form)
    else:
        x, y = given
        new = _product(node, x, y, most)
    new.is_fixed = all(x.is_fixed for x in given)
    return new


def broadcast(x: Registers, shape: tuple[int, ...], most: int) -> Registers:
    """The array with this shape."""
    if x.form.shape == shape:
        return x
    table = np.broadcast_to(np.arange(x.form.size).reshape(x.form.shape), shape)
    return Registers.moved(Form.of(shape, most), [x], table)


def _elementwise(node: Operation, xs: Sequence[Registers | None], form: Form) -> Registers:
    arrays = [None if x is None else broadcast(x, form.shape, form.lanes) for x in xs]
    b = next(x for x in arrays if x is not None).builder
    vectors: list[Value] = []
    b.on_a_chain = form.vectors <= _CHAIN
    for place in range(form.vectors):
        arguments = [
            formula.number(b, given, form.lanes) if x is None else x.vectors[place]
            for x, given in zip(arrays, node.inputs, strict=True)
        ]
        vectors.append(formula.formula(node, arguments))
    b.on_a_chain = False
    return Registers(b, form, dtype_of(node), vectors)


def _reduced(node: Operation, x: Registers, form: Form) -> Registers:
    """A reduction: vectors are combined pairwise, then the lanes of what is left."""
    combine, shape = reducers.combine_of(node), x.form.shape
    axes = set(axes_in(node.attributes["axis"], len(shape)))
    last = len(shape) - 1
    kept = [axis for axis in range(last) if axis not in axes]
    gone = [axis for axis in range(last) if axis in axes]
    order = (*gone, *kept, last) if shape else ()
    outer = tuple(shape[axis] for axis in (*kept, last)) if shape else ()
    table = np.arange(x.form.size).reshape(shape).transpose(order)
    whole = Registers.moved(Form.of((math.prod(shape[a] for a in gone), *outer), x.form.lanes),
                            [x], table)  # fmt: skip
    inner = Form.of(outer, x.form.lanes)
    rows = [one.cast(dtype_of(node)) for one in whole.vectors]
    totals = [_joined(rows[n :: inner.vectors], combine) for n in range(inner.vectors)]
    b, dtype = x.builder, dtype_of(node)
    if last not in axes:
        found = Registers(b, inner, dtype, totals)
    else:
        nothing = Value(b, None, dtype, inner.lanes).number(reducers.identity_of(node))
        numbers: list[Value] = []
        for row in range(inner.rows):
            parts: list[Value] = []
            for place in range(row * inner.across, (row + 1) * inner.across):
                one, active = totals[place], inner.active(place)
                if active != inner.lanes:
                    one = chosen(one.like(mask_of(inner.lanes, active)), one, nothing)
                parts.append(one)
            numbers.append(reducers.across(_joined(parts, combine), combine))
        singles = Form.of((len(numbers), 1), 1)
        found = Registers(b, singles, dtype, numbers)
    return Registers.moved(form, [found], np.arange(form.size))


def _joined(parts: list[Value], combine: reducers.Combine) -> Value:
    """Values combined pairwise, in a fixed order."""
    while len(parts) > 1:
        pairs = [combine(a, b) for a, b in zip(parts[::2], parts[1::2], strict=False)]
        parts = [*pairs, *parts[2 * len(pairs) :]]
    return parts[0]


def _product(node: Operation, x: Registers, y: Registers, most: int) -> Registers:
    """A matrix product, vector by vector of each result."""
    a, c = x.form.shape, y.form.shape
    left = a if len(a) > 1 else (1, *a)  # (…, m, k)
    right = c if len(c) > 1 else (*c, 1)  # (…, k, n)
    batch = np.broadcast_shapes(left[:-2], right[:-2])
    m, k, n = left[-2], left[-1], right[-1]
    xs = np.broadcast_to(np.arange(x.form.size).reshape(left), (*batch, m, k)).reshape(-1, m, k)
    ys = np.broadcast_to(np.arange(y.form.size).reshape(right), (*batch, k, n)).reshape(-1, k, n)
    matrices = [_matrix(x, left, y, right, most) for left, right in zip(xs, ys, strict=True)]
    table = np.arange(len(matrices) * m * n)
    return Registers.moved(Form.of(sizes(node.shape), most), matrices, table)


def _matrix(x: Registers, xs: Table, y: Registers, ys: Table, most: int) -> Registers:
    """The product of two matrices, given by the places of their elements."""
    (m, k), n = xs.shape, ys.shape[1]
    if n == 1:
        columns = Registers.moved(Form.of((k, m), most), [x], xs.T)
        rows = Registers.moved(Form.of((m, k), most), [x], xs)
        if m == 1 or not (x.is_fixed or columns.is_arranged or not rows.is_arranged):
            return _dots(rows, Registers.moved(Form.of((k,), most), [y], ys), m)
        found = _rows(y, ys.T, columns, m, most)  # (1, m)
        return Registers.moved(Form.of((m, 1), most), [found], np.arange(m))
    return _rows(x, xs, Registers.moved(Form.of((k, n), most), [y], ys), n, most)


def _rows(x: Registers, xs: Table, y: Registers, n: int, most: int) -> Registers:
    """z[i] = Σₖ x[i, k]·y[k], where y[k] are rows of n elements in vectors."""
    form = Form.of((len(xs), n), most)
    vectors: list[Value] = []
    parts = _PARTS if form.vectors < _WIDE else 1
    for row in xs:
        factors = [x.everywhere(int(place), form.lanes) for place in row]
        for part in range(form.across):
            terms = [
                (factor, y.vectors[k * form.across + part]) for k, factor in enumerate(factors)
            ]
            vectors.append(_sum(terms, parts))
    return Registers(x.builder, form, x.dtype, vectors)


def _sum(terms: Sequence[tuple[Value, Value]], parts: int) -> Value:
    """The sum of products: `parts` sums of every such term, added pairwise."""
    parts = min(parts, max(len(terms) // 2, 1))
    sums = [a * c for a, c in terms[:parts]]
    for number, (a, c) in enumerate(terms[parts:]):
        sums[number % parts] = a.fused(c, sums[number % parts])
    return _joined(sums, lambda a, c: a + c)


def _dots(rows: Registers, y: Registers, m: int) -> Registers:
    """z[i] = Σₖ x[i, k]·y[k], where x[i] and y are rows in vectors."""
    form, b = y.form, y.builder
    numbers: list[Value] = []
    for row in range(m):
        terms: list[tuple[Value, Value]] = []
        for part in range(form.across):
            one, other = rows.vectors[row * form.across + part], y.vectors[part]
            if form.active(part) != form.lanes:
                mask = one.like(mask_of(form.lanes, form.active(part)))
                one, other = (chosen(mask, v, v.number(0)) for v in (one, other))
            terms.append((one, other))
        numbers.append(reducers.across(_sum(terms, _PARTS), lambda a, c: a + c))
    return Registers(b, Form.of((m, 1), 1), y.dtype, numbers)
