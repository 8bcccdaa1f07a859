"""A function of JAX's arrays for each operation, by its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from ...dtypes import is_floating
from ...graph.declared.strided import Strided
from ...graph.kinds import (
    Composite,
    Contract,
    Custom,
    Elementwise,
    Factorisation,
    Layout,
    Reduce,
    Scan,
    Transform,
)
from ...graph.node import Node
from ...graph.operation import MultipleOutputs, Operation
from ...ops.window.convolution import Convolution, ConvolutionInput, ConvolutionWeight
from ...ops.window.pooling import MaxPool, MaxPoolPlace, SumPool
from ...shapes import axes_in, axis_in, sizes
from ..formulas import Formula, Number, readable
from .functions.arrays import product
from .functions.maths import Unmapped, jax_maths
from .functions.windows import (
    convolution,
    convolution_input,
    convolution_weight,
    max_pool,
    max_pool_place,
    sum_pool,
)
from .jaxlib import jnp, lax

Function = Callable[..., Any]
_WINDOWS: dict[type, Function] = {
    Convolution: convolution,
    ConvolutionInput: convolution_input,
    ConvolutionWeight: convolution_weight,
    MaxPool: max_pool,
    MaxPoolPlace: max_pool_place,
    SumPool: sum_pool,
}


def mapped(node: Operation) -> Function | Factors:
    """The function of arrays that computes the node on the device. Raises Unmapped, then or when it
    is called, for what only NumPy computes."""
    if isinstance(node, Elementwise) and (formula := readable(node)) is not None:
        return partial(stepwise, formula, sizes(node.shape))
    if not node._shipped:
        raise Unmapped("an operation that isn't the library's")
    if isinstance(node, (Custom, Composite, Factorisation, Transform)):
        raise Unmapped("a kind that only NumPy computes")
    if isinstance(node, Reduce) and (product := _summed_product(node)) is not None:
        return product
    if isinstance(node, Contract) and (product := _product_of_transposes(node)) is not None:
        return product
    if isinstance(node, Scan):
        return partial(scanned, node)
    if (window := _WINDOWS.get(type(node))) is not None:
        return partial(window, **node.attributes)
    if type(node).compute is not Operation.compute:
        raise Unmapped("an operation with a compute of its own")
    return partial(node.f, jax_maths, **node.attributes)


def convolves(node: Node) -> bool:
    """Whether it is a convolution, or one of its adjoints."""
    return type(node) in (Convolution, ConvolutionInput, ConvolutionWeight)


def _summed_product(node: Reduce) -> Factors | None:
    """The sum of matrix products over all axes before the matrices', as the gradient of a weight
    is, as one product of longer rows, from the factors of the products; None for other reductions.

    XLA takes batches of products one by one and then adds them; products that nothing else reads
    are never computed.
    """
    (x,) = node.inputs
    if not (node._shipped and isinstance(x, Contract) and x._shipped and node.is_plain):
        return None
    if node.combines_by != "add" or len(x.inputs) != 2 or not is_floating(x.dtype):
        return None
    shapes = [sizes(one.shape) for one in (*x.inputs, x)]
    before = len(shapes[2]) - 2
    axes = axes_in(node.attributes["axis"], before + 2)
    if before < 1 or sorted(axes) != list(range(before)) or 0 in (*shapes[0], *shapes[1]):
        return None
    if not shapes[0][:before] == shapes[1][:before] == shapes[2][:before]:
        return None
    shape = sizes(node.shape)
    return Factors(lambda a, b: _of_rows(a, b).reshape(shape), x.inputs)


def _product_of_transposes(node: Contract) -> Factors | None:
    """A matrix product of which an operand is a transpose, as one product of what is transposed;
    None for others. XLA might write a transpose into memory."""
    if not node._shipped or len(node.inputs) != 2 or not is_floating(node.dtype):
        return None
    shapes = [sizes(x.shape) for x in node.inputs]
    turned = [_is_transpose(x) for x in node.inputs]
    if not any(turned) or min(map(len, shapes)) < 2 or shapes[0][:-2] != shapes[1][:-2]:
        return None
    pairs = zip(node.inputs, turned, strict=True)
    return Factors(partial(product, *turned), [x.inputs[0] if one else x for x, one in pairs])


def _is_transpose(x: Node) -> bool:
    """Whether x is its input with the last two axes exchanged."""
    if not isinstance(x, Layout) or isinstance(x, MultipleOutputs) or not x._shipped:
        return False
    if len(x.inputs) != 1 or len(sizes(x.inputs[0].shape)) < 2 or not is_floating(x.dtype):
        return False
    given = Strided.contiguous(sizes(x.inputs[0].shape))
    *outer, rows, columns = range(len(given.shape))
    return x.view(given) == given.permuted((*outer, columns, rows))


class Factors(NamedTuple):
    """A function not of a node's inputs but of nodes behind them."""

    function: Function
    inputs: Sequence[Node]


def _of_rows(a: Any, b: Any) -> Any:
    """Σ aₜ bₜ over all axes before the matrices': one product, in which they are terms."""
    left = jnp.moveaxis(a, -2, 0)  # (rows, …, terms)
    right = jnp.moveaxis(b, -1, 0)  # (columns, …, terms)
    rows, columns = left.shape[0], right.shape[0]
    return jax_maths.matmul(left.reshape(rows, -1), right.reshape(columns, -1).T)


def stepwise(formula: Formula, shape: tuple[int, ...], *x: Any) -> Any:
    """An elementwise formula, step by step in NumPy's dtypes."""
    values = [jnp.asarray(one) for one in x]

    def operand(place: int | Number, dtype: Any) -> Any:
        if isinstance(place, Number):
            return jnp.asarray(place.value, dtype)
        value = values[place]
        return value if value.dtype == dtype else jax_maths.cast(value, dtype)

    for step in formula.steps:
        given = [operand(place, dtype) for place, dtype in step.taken()]
        options = (step.result,) if step.name == "cast" else ()
        value = getattr(jax_maths, step.name)(*given, *options)
        if value.dtype != step.result:
            raise Unmapped(f"m.{step.name} of {', '.join(map(str, step.dtypes))}")
        values.append(value)
    return jnp.broadcast_to(operand(formula.result, formula.dtype), shape)


def scanned(node: Scan, *x: Any) -> Any:
    """The totals along an axis, in log n rounds; of factors one after another, because their
    products may overflow where the running totals don't."""
    options, shape = node.options, sizes(node.shape)
    axis = axis_in(node.attributes["axis"], len(shape))
    found = node.prepare(jax_maths, *(jnp.asarray(one) for one in x), **options)
    several = isinstance(found, tuple)
    result: Any = node.dtype
    wide = node.accumulates_in(result)
    elements = [
        jnp.broadcast_to(_widened(one, wide, result), shape)
        for one in (found if several else (found,))
    ]
    if not shape[axis]:
        return jnp.zeros(shape, result)

    def combine(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
        total = node.combine(
            jax_maths, *((tuple(a), tuple(b)) if several else (a[0], b[0])), **options
        )
        return list(total) if several else [total]

    reverse = node.attributes["reverse"]
    if node.multiplies:
        totals = _in_order(combine, elements, axis, reverse)
    elif reverse:  # JAX gives combine the later total first
        flipped = [jnp.flip(one, axis) for one in elements]
        totals = [jnp.flip(one, axis) for one in lax.associative_scan(combine, flipped, axis=axis)]
    else:
        totals = lax.associative_scan(combine, elements, axis=axis)
    finished = node.finish(jax_maths, tuple(totals) if several else totals[0], **options)
    return finished.astype(result)


def _widened(x: Any, wide: Any, result: Any) -> Any:
    """An element in the dtype of totals; what isn't of the result's kind, such as a key, stays."""
    if jnp.issubdtype(x.dtype, jnp.inexact) == jnp.issubdtype(result, jnp.inexact):
        return x.astype(wide)
    return x


def _in_order(combine: Any, elements: list[Any], axis: int, reverse: bool) -> list[Any]:
    rows = [jnp.moveaxis(one, axis, 0) for one in elements]
    rows = [jnp.flip(one, 0) for one in rows] if reverse else rows

    def step(total: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
        total = combine(total, row)
        return total, total

    first = [one[0] for one in rows]
    _, rest = lax.scan(step, first, [one[1:] for one in rows])
    whole = [jnp.concatenate([a[None], b]) for a, b in zip(first, rest, strict=True)]
    whole = [jnp.flip(one, 0) for one in whole] if reverse else whole
    return [jnp.moveaxis(one, 0, axis) for one in whole]
