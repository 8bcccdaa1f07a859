"""Transforms of functions: grad, value_and_grad, vjp, jvp, and what is made of them.

The function takes and returns arrays, or lists, tuples, dicts and dataclasses of them, in which
None is no array. For arrays a transform returns arrays. For nodes it returns nodes, so that
transforms can be nested and traced; so it does if the function closes over a Variable, a tensor or
an argument of an enclosing transform, on which the result depends. `.numpy()` turns such a result
into an array.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import wraps
from typing import Any

from ..errors import GradientError, ShapeError
from ..graph.context import mark_returned
from ..graph.node import Node
from ..graph.operation import is_known
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.calls import public
from ..messages.checks import counted
from ..shapes import known, size, text
from .calls import (
    Argnums,
    Call,
    Function,
    check_function,
    check_holomorphic,
    nodes_of,
    numeric,
    refilled,
    returned,
    without_aux,
)
from .forward import forward
from .gradients import gradients, since, slopes_as_arrays


@public
def grad(
    f: Function, argnums: Argnums = 0, *, has_aux: bool = False, holomorphic: bool = False
) -> Function:
    """The function that computes ∂f/∂(argument), where f returns a scalar.

    `argnums` is the number of the argument, or several for a tuple of gradients. A gradient has
    the structure, shapes and dtypes of its argument. With `has_aux`, f returns (scalar, auxiliary
    results), and the function (gradient, auxiliary results). For a real f of a complex argument
    x = a + ib the gradient is ∂f/∂a − i·∂f/∂b; f falls fastest along minus its conjugate. With
    `holomorphic`, f returns a complex number and is taken to be holomorphic, and the result is its
    complex derivative.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> pg.grad(lambda x: pg.sum(x**3))(np.arange(3.0))
    array([ 0.,  3., 12.])
    """
    check_function("grad", f)
    both = value_and_grad(f, argnums, has_aux=has_aux, holomorphic=holomorphic)

    @wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        if isinstance(gradient, Node):
            mark_returned([gradient], [0 if has_aux else None], 2)
        elif isinstance(gradient, tuple) and not has_aux:
            found = [(one, at) for at, one in enumerate(gradient) if isinstance(one, Node)]
            mark_returned([one for one, _ in found], [at for _, at in found], 2)
        return (gradient, value[1]) if has_aux else gradient

    return function


@public
def value_and_grad(
    f: Function, argnums: Argnums = 0, *, has_aux: bool = False, holomorphic: bool = False
) -> Function:
    """The function that computes (f(…), ∂f/∂(argument)) in one evaluation of f; see `grad`.

    With `has_aux`, f returns (scalar, auxiliary results), and the function that pair in place of
    the value.
    """

    check_function("value_and_grad", f)

    @wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        call = Call(args, argnums)
        result, aux = without_aux("grad", call.value(f, kwargs), has_aux)
        y = returned(result)
        if y.shape is not None and known(y.shape) and size(y.shape) != 1:
            raise GradientError(
                f"grad: f returned shape {text(y.shape)}: only a scalar has a gradient.",
                hint="Sum it, as in pg.grad(lambda x: pg.sum(f(x))), or use pg.jacobian(f).",
            )
        if not (call.given_nodes or holomorphic):
            arrays = slopes_as_arrays(y, call.nodes, call.began)
            if arrays is not None:
                value = y._value
                return (value, call.result(aux)) if has_aux else value, call.shaped(arrays)
        seed = check_holomorphic(y, call.nodes) if holomorphic else None
        slopes = call.shaped(gradients(y, call.nodes, gradient=seed))
        if isinstance(slopes, Node):
            mark_returned([slopes], [1], 2)
        return call.result(((y, aux) if has_aux else y, slopes))

    return function


@public
def elementwise_grad(f: Function, argnums: Argnums = 0) -> Function:
    """The function that computes the gradient of the sum of f(…): of a function that is applied to
    each element by itself, the derivative at each element.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> pg.elementwise_grad(pg.square)(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    check_function("elementwise_grad", f)

    @wraps(f)
    def summed(*args: Any, **kwargs: Any) -> Any:
        return ops.sum(returned(f(*args, **kwargs)))

    return grad(summed, argnums)


@public
def grad_and_aux(f: Function, argnums: Argnums = 0) -> Function:
    """The function that computes (∂f/∂(argument), auxiliary), where f returns a scalar and
    auxiliary results: `grad` with `has_aux`."""
    check_function("grad_and_aux", f)
    return grad(f, argnums, has_aux=True)


@public
def vjp(f: Function, *args: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """(f(*args), pull), where pull(g) returns the tuple of g·∂f/∂(argument) for each argument.

    With `has_aux`, f returns (result, auxiliary results), which the tuple ends with.
    """
    check_function("vjp", f)
    call = Call(args, tuple(range(len(args))))
    y, aux = without_aux("vjp", call.value(f), has_aux)
    ys = nodes_of(y)

    def pull(g: Any) -> Any:
        gs = numeric(g)
        if len(gs) != len(ys):
            raise GradientError(
                f"vjp: f returned {counted(len(ys), 'array')}, got {len(gs)} cotangents.",
                hint="Pass one in the structure of f's result: pull(1.0) for one number.",
            )
        totals: list[Node | None] = [None] * len(call.nodes)
        for output, seed in zip(ys, gs, strict=True):
            seed = as_node(seed, output.dtype)
            seed = seed if seed.dtype == output.dtype else ops.cast(seed, output.dtype)
            for number, c in enumerate(gradients(output, call.nodes, gradient=seed)):
                before = totals[number]
                totals[number] = c if before is None else before + c
        cotangents = call.shaped(totals)
        return cotangents if any(isinstance(g, Node) for g in gs) else call.result(cotangents)

    value = call.result(refilled(y, ys))
    return (value, pull, call.result(aux)) if has_aux else (value, pull)


@public
def jvp(
    f: Function, args: Sequence[Any], tangents: Sequence[Any], *, has_aux: bool = False
) -> tuple[Any, ...]:
    """(f(*args), Σ ∂f/∂(argument)·tangent), computed in one forward pass.

    `tangents` has the structure and shapes of `args`. With `has_aux`, f returns (result, auxiliary
    results), which the tuple ends with.
    """
    check_function("jvp", f)
    if not isinstance(args, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise GradientError(
            "jvp: expected a tuple of arguments and a tuple of tangents, got "
            f"{type(args).__name__} and {type(tangents).__name__}.",
            hint="Write pg.jvp(f, (x,), (t,)), also for one argument.",
        )
    call = Call(tuple(args), tuple(range(len(args))))
    given = numeric(list(tangents))
    call.given_nodes = call.given_nodes or any(isinstance(t, Node) for t in given)
    ts = checked_tangents("jvp", call.nodes, given)
    y, aux = without_aux("jvp", call.value(f), has_aux)
    ys = nodes_of(y)
    pushed = push(call, ys, ts)
    both = call.result((refilled(y, ys), refilled(y, pushed)))
    return (*both, call.result(aux)) if has_aux else both


def checked_tangents(transform: str, xs: Sequence[Node], given: Sequence[Any]) -> list[Node]:
    """The tangents as nodes of the xs' dtypes. Raises unless each x has one of its shape."""
    if len(given) != len(xs):
        raise GradientError(
            f"{transform}: {len(xs)} arguments but {len(given)} tangents.",
            hint="Each argument needs one, of its shape: np.zeros_like(x) for none.",
        )
    ts = [as_node(t, x.dtype) for x, t in zip(xs, given, strict=True)]
    for x, t in zip(xs, ts, strict=True):
        if x.shape != t.shape:
            raise ShapeError(
                f"{transform}: an argument of shape {text(x.shape)} has a tangent of shape "
                f"{text(t.shape)}.",
                hint="A tangent has the shape of its argument, such as np.ones_like(x).",
            )
    return [t if t.dtype == x.dtype else ops.cast(t, x.dtype) for x, t in zip(xs, ts, strict=True)]


def push(call: Call, ys: Sequence[Node], ts: Sequence[Node]) -> list[Node]:
    """The tangents of the ys for those of the call's arguments."""
    if not all(map(is_known, since(call.nodes, *ys))):
        raise ShapeError("jvp: all shapes must be known", hint="Give the placeholders shapes.")
    pushed = forward(ys, dict(zip(call.nodes, ts, strict=True)))
    return [ops.zeros_like(y) if t is None else t for y, t in zip(ys, pushed, strict=True)]


@public
def make_jvp(f: Function, argnums: Argnums = 0) -> Function:
    """The function of f's arguments that returns the function of a tangent, t ↦ (f(…),
    ∂f/∂(argument)·t); of several arguments it takes a tuple of tangents.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> push = pg.make_jvp(lambda x: x * x)(np.array([1.0, 2.0]))
    >>> push(np.array([1.0, 0.0]))
    (array([1., 4.]), array([2., 0.]))
    """
    check_function("make_jvp", f)
    numbers = [argnums] if isinstance(argnums, int) else list(argnums)

    @wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        def of_some(*chosen: Any) -> Any:
            given = list(args)
            for number, x in zip(numbers, chosen, strict=True):
                given[number] = x
            return f(*given, **kwargs)

        def push(tangent: Any) -> Any:
            tangents = (tangent,) if isinstance(argnums, int) else tuple(tangent)
            return jvp(of_some, tuple(args[number] for number in numbers), tangents)

        return push

    return function
