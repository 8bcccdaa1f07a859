"""Jacobians, Hessians and their products: jacobian, hessian, hvp, linearize."""

from __future__ import annotations

from collections.abc import Sequence
from functools import wraps
from typing import Any

import numpy as np

from ..dtypes import is_complex
from ..errors import GradientError, ShapeError
from ..graph.batching.batch import examples_last, unit_vectors
from ..graph.context import graph_scope
from ..graph.kinds import Elementwise
from ..graph.leaves import Placeholder
from ..graph.node import Node, next_serial
from ..graph.operation import Operation
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..graph.traversal.order import postorder
from ..messages.calls import public
from ..ops.layout.join import Concat
from ..shapes import axis_in, known, size, sizes
from .batching import OneExample, over_examples
from .calls import (
    Argnums,
    Call,
    Function,
    as_arrays,
    check_function,
    check_holomorphic,
    nodes_of,
    numeric,
    refilled,
    returned,
    without_aux,
)
from .forward import forward
from .gradients import gradients
from .transforms import checked_tangents, grad, jvp, push


@public
def jacobian(
    f: Function, argnums: Argnums = 0, *, has_aux: bool = False, holomorphic: bool = False
) -> Function:
    """The function that computes ∂f/∂(argument), of shape f(…).shape + argument.shape.

    All rows are computed at once in reverse mode, or all columns in forward mode if there are
    fewer of them. If f is complex, its arguments are real, or with `holomorphic` complex. With
    `has_aux`, f returns (result, auxiliary results), and the function (Jacobian, auxiliary
    results).
    """

    check_function("jacobian", f)

    @wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        call = Call(args, argnums)
        y, aux = without_aux("jacobian", call.value(f, kwargs), has_aux)
        ys = [returned(leaf) for leaf in numeric(y) or [y]]
        for one in ys if holomorphic else ():
            check_holomorphic(one, call.nodes)
        blocks = [call.shaped(_jacobians(one, call.nodes, holomorphic)) for one in ys]
        result = refilled(y, blocks)
        return call.result((result, aux) if has_aux else result)

    return function


@public
def hessian(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function:
    """The function that computes ∂²f/∂(argument)², of shape argument.shape + argument.shape.

    Of several arguments, or of a tree of arrays, it is a tree of such trees. With `has_aux`, f
    returns (scalar, auxiliary results), and the function (Hessian, auxiliary results).
    """
    return jacobian(grad(f, argnums, has_aux=has_aux), argnums, has_aux=has_aux)


@public
def hvp(f: Function, args: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """∂²f/∂(arguments)² · tangents, where f returns a scalar: forward mode over reverse mode, which
    costs as much as a few gradients and forms no matrix.

    `tangents` has the structure and shapes of `args`; for one argument the result is the product,
    for several the tuple of their parts of it.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> pg.hvp(lambda x: pg.sum(x**3), (np.array([1.0, 2.0]),), (np.array([1.0, 1.0]),))
    array([ 6., 12.])
    """
    check_function("hvp", f)
    numbers = 0 if len(args) == 1 else tuple(range(len(args)))
    return jvp(grad(f, numbers), args, tangents)[1]


@public
def linearize(f: Function, *args: Any) -> tuple[Any, Function]:
    """(f(*args), push), where push(*tangents) is Σ ∂f/∂(argument)·tangent at these arguments.

    f is evaluated once; each push computes only what depends on the tangents.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> y, push = pg.linearize(pg.sin, np.array(0.0))
    >>> float(y), float(push(np.array(2.0)))
    (0.0, 2.0)
    """
    check_function("linearize", f)
    call = Call(args, tuple(range(len(args))))
    y = call.value(f)
    ys = nodes_of(y)
    began = next_serial()
    with graph_scope(OneExample(), hidden=True):
        ts = [Placeholder(x.shape, dtype=x.dtype) for x in call.nodes]
        pushed = push(call, ys, ts)

    def pushing(*tangents: Any) -> Any:
        given = numeric(list(tangents))
        new = checked_tangents("linearize", call.nodes, given)
        results = ops.on_inputs(pushed, dict(zip(ts, new, strict=True)), began)
        nodes = call.given_nodes or any(isinstance(t, Node) for t in given)
        return as_arrays(refilled(y, results), call.began, nodes)

    return call.result(refilled(y, ys)), pushing


def _jacobians(y: Node, xs: list[Node], holomorphic: bool) -> list[Node]:
    if y.shape is None or not known(y.shape) or any(not known(x.shape) for x in xs):
        raise ShapeError("jacobian: all shapes must be known", hint="Give the placeholders shapes.")
    mixed = any(is_complex(x.dtype) for x in xs) and not holomorphic  # needs rows of a real y
    if is_complex(y.dtype) and mixed:
        raise GradientError(
            f"jacobian: f returned {y.dtype} for a complex argument.",
            hint="Take those of pg.real(f(x)) and pg.imag(f(x)), or of a holomorphic f: "
            "pg.jacobian(f, holomorphic=True).",
        )
    few = sum(size(x.shape) for x in xs) < size(y.shape)
    if not mixed and (few or (is_complex(y.dtype) and not holomorphic)):
        return [_by_columns(y, x) for x in xs]
    return _by_rows(y, xs)


def jacobian_of(y: Node, x: Node) -> Node:
    """∂y/∂x of two nodes, as a node of shape y.shape + x.shape."""
    return _jacobians(y, [x], holomorphic=False)[0]


def _by_rows(y: Node, xs: list[Node]) -> list[Node]:
    """Reverse mode for all elements of y at once."""
    count = size(y.shape)
    shapes = [sizes(y.shape) + sizes(x.shape) for x in xs]
    if not count:
        return [as_node(np.zeros(shape, x.dtype)) for shape, x in zip(shapes, xs, strict=True)]
    with graph_scope(OneExample(), hidden=True):
        seed = Placeholder(sizes(y.shape), dtype=y.dtype)
        began = seed._serial
        rows = gradients(y, xs, gradient=seed)
    units = unit_vectors(count, sizes(y.shape), y.dtype)
    found = over_examples(rows, {seed: units}, count, began, "same")
    return [ops.reshape(row, shape) for row, shape in zip(found, shapes, strict=True)]


def _by_columns(y: Node, x: Node) -> Node:
    """Forward mode for all elements of x at once."""
    shape = sizes(y.shape) + sizes(x.shape)
    with graph_scope(OneExample(), hidden=True):
        t = Placeholder(sizes(x.shape), dtype=x.dtype)
        began = t._serial
        (column,) = forward([y], {x: t})
    if column is None or not size(x.shape):
        return as_node(np.zeros(shape, y.dtype))
    units = unit_vectors(size(x.shape), sizes(x.shape), x.dtype)
    (found,) = over_examples([column], {t: units}, size(x.shape), began, "same")
    return ops.reshape(_examples_last(found), shape)  # (*y, elements of x)


def _examples_last(y: Node) -> Node:
    """y with its first axis last. What is computed in a graph of unit vectors alone is computed in
    that order, so that no matrix is transposed."""
    shape = sizes(y.shape)
    ndim = len(shape)

    def is_inner(node: Node) -> bool:
        return isinstance(node, (Concat, Elementwise)) and (
            node.units is None and node.deferred and len(sizes(node.shape)) == ndim
        )

    order = postorder(y, inputs=lambda node: node.inputs if is_inner(node) else ())
    ends = [node for node in order if not is_inner(node) and node.units is None]
    if not is_inner(y) or any(sizes(node.shape)[-ndim:][:1] == shape[:1] for node in ends
                              if len(sizes(node.shape)) == ndim):  # fmt: skip
        return ops.permute_dims(y, (*range(1, ndim), 0))
    built: dict[Node, Node] = {}
    for node in order:
        if node.units is not None:
            built[node] = examples_last(node)
        elif not is_inner(node):
            whole = (*(1,) * (ndim - len(sizes(node.shape))), *sizes(node.shape))
            built[node] = ops.permute_dims(ops.reshape(node, whole), (*range(1, ndim), 0))
        else:
            assert isinstance(node, Operation)
            options = dict(node.attributes)
            if isinstance(node, Concat):
                options["axis"] = axis_in(options["axis"], ndim) - 1
            built[node] = node.applied([built[x] for x in node.inputs], options)
    return built[y]
