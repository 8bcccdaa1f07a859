"""Transforms of functions: grad, value_and_grad, vjp, jvp, jacobian, hessian.

The function takes and returns arrays, or lists, tuples and dicts of them. For arrays a transform
returns arrays. For nodes it returns nodes, so that transforms can be nested and traced; so it does
if the function closes over a Variable, a tensor or an argument of an enclosing transform, on which
the result depends. `.numpy()` turns such a result into an array.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import numpy as np

from ..dtypes import is_complex, is_inexact
from ..errors import GradientError, ShapeError
from ..graph.derivatives.differentiated import dependencies, differentiated
from ..graph.leaves import Constant
from ..graph.node import Node, next_serial
from ..graph.operation import is_known
from ..graph.promotion import as_node, tensor
from ..graph.registry import ops
from ..messages.calls import called, public
from ..messages.checks import counted
from ..shapes import known, size, sizes, text
from ..trees import leaves, mapped, rebuilt
from .forward import forward
from .gradients import gradients, since
from .jacobians import one_hot_like
from .listed import as_argument

Function = Callable[..., Any]
Argnums = int | Sequence[int]


@public
def grad(f: Function, argnums: Argnums = 0, *, holomorphic: bool = False) -> Function:
    """The function that computes ∂f/∂(argument), where f returns a scalar.

    `argnums` is the number of the argument, or several for a tuple of gradients. A gradient has
    the structure, shapes and dtypes of its argument. For a real f of a complex argument x = a + ib
    it is ∂f/∂a − i·∂f/∂b; f falls fastest along minus its conjugate. With `holomorphic`, f returns
    a complex number and is taken to be holomorphic, and the result is its complex derivative.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> pg.grad(lambda x: pg.sum(x**3))(np.arange(3.0))
    array([ 0.,  3., 12.])
    """
    _check_function("grad", f)
    both = value_and_grad(f, argnums, holomorphic=holomorphic)

    @wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return function


@public
def value_and_grad(f: Function, argnums: Argnums = 0, *, holomorphic: bool = False) -> Function:
    """The function that computes (f(…), ∂f/∂(argument)) in one evaluation of f; see `grad`."""

    _check_function("value_and_grad", f)

    @wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        call = Call(args, argnums)
        y = _returned(call.value(f, kwargs))
        if y.shape is not None and known(y.shape) and size(y.shape) != 1:
            raise GradientError(
                f"grad: f returned shape {text(y.shape)}: only a scalar has a gradient.",
                hint="Sum it, as in pg.grad(lambda x: pg.sum(f(x))), or use pg.jacobian(f).",
            )
        seed = _check_holomorphic(y, call.nodes) if holomorphic else None
        return call.result((y, call.shaped(gradients(y, call.nodes, gradient=seed))))

    return function


@public
def vjp(f: Function, *args: Any) -> tuple[Any, Function]:
    """(f(*args), pull), where pull(g) returns the tuple of g·∂f/∂(argument) for each argument."""
    _check_function("vjp", f)
    call = Call(args, tuple(range(len(args))))
    y = call.value(f)
    ys = [as_node(one) for one in leaves(y)]

    def pull(g: Any) -> Any:
        gs = leaves(g)
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

    return call.result(rebuilt(y, iter(ys))), pull


@public
def jvp(f: Function, args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(f(*args), Σ ∂f/∂(argument)·tangent), computed in one forward pass.

    `tangents` has the structure and shapes of `args`.
    """
    _check_function("jvp", f)
    if not isinstance(args, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise GradientError(
            "jvp: expected a tuple of arguments and a tuple of tangents, got "
            f"{type(args).__name__} and {type(tangents).__name__}.",
            hint="Write pg.jvp(f, (x,), (t,)), also for one argument.",
        )
    call = Call(tuple(args), tuple(range(len(args))))
    given = leaves(list(tangents))
    if len(given) != len(call.nodes):
        raise GradientError(
            f"jvp: {len(call.nodes)} arguments but {len(given)} tangents.",
            hint="Each argument needs one, of its shape: np.zeros_like(x) for none.",
        )
    ts = [as_node(t, x.dtype) for x, t in zip(call.nodes, given, strict=True)]
    for x, t in zip(call.nodes, ts, strict=True):
        if x.shape != t.shape:
            raise ShapeError(
                f"jvp: an argument of shape {text(x.shape)} has a tangent of shape "
                f"{text(t.shape)}.",
                hint="A tangent has the shape of its argument, such as np.ones_like(x).",
            )
    y = call.value(f)
    ys = [as_node(one) for one in leaves(y)]
    if not all(map(is_known, since(call.nodes, *ys))):
        raise ShapeError("jvp: all shapes must be known", hint="Give the placeholders shapes.")
    seeds = {
        x: t if t.dtype == x.dtype else ops.cast(t, x.dtype)
        for x, t in zip(call.nodes, ts, strict=True)
    }
    pushed = [
        ops.zeros_like(output) if t is None else t
        for output, t in zip(ys, forward(ys, seeds), strict=True)
    ]
    return call.result((rebuilt(y, iter(ys)), rebuilt(y, iter(pushed))))


@public
def jacobian(f: Function, argnums: Argnums = 0, *, holomorphic: bool = False) -> Function:
    """The function that computes ∂f/∂(argument), of shape f(…).shape + argument.shape.

    It is computed row by row in reverse mode, or column by column in forward mode if there are
    fewer columns. If f is complex, its arguments are real, or with `holomorphic` complex.
    """

    _check_function("jacobian", f)

    @wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        call = Call(args, argnums)
        y = call.value(f, kwargs)
        ys = [_returned(leaf) for leaf in leaves(y)]
        for one in ys if holomorphic else ():
            _check_holomorphic(one, call.nodes)
        blocks = [call.shaped(_jacobians(one, call.nodes, holomorphic)) for one in ys]
        return call.result(rebuilt(y, iter(blocks)))

    return function


@public
def hessian(f: Function, argnums: int = 0) -> Function:
    """The function that computes ∂²f/∂(argument)², of shape argument.shape + argument.shape."""
    return jacobian(grad(f, argnums), argnums)


def _check_function(transform: str, f: Any) -> None:
    if not callable(f):
        what = f.label() if isinstance(f, Node) else f"{type(f).__name__} {f!r:.40}"
        raise GradientError(
            f"{transform}: expected a function, got {what}.",
            hint="Of a node y, take pg.gradients(y, x), or y.backward().",
        )


def _check_holomorphic(y: Node, xs: Sequence[Node]) -> Node:
    """The initial cotangent of a holomorphic function, 1. Raises GradientError unless its argument
    and result are complex."""
    for what, node in (("f returned", y), *(("an argument is", x) for x in xs)):
        if node.dtype is not None and not is_complex(node.dtype):
            raise GradientError(
                f"holomorphic: {what} {node.dtype}, not a complex number.",
                hint="Leave holomorphic out, or make it complex: pg.cast(x, pg.complex64).",
            )
    return ops.ones_like(y)


def _returned(y: Any) -> Node:
    """The value that f returned, as a node. Raises GradientError if it isn't made of nodes."""
    if isinstance(y, (list, tuple)):
        return as_node(y)
    if not isinstance(y, Node):
        if y is None:
            raise GradientError("f returned None, not a node.", hint="End it with return y.")
        if isinstance(y, dict):
            raise GradientError("f returned a dict, not a node.", hint="Return one of its values.")
        raise GradientError(
            f"f returned {type(y).__name__} {y!r:.40}, not a node: the results of float(), math "
            "and NumPy functions have no derivative.",
            hint="Use palingrad's functions, such as pg.sin instead of math.sin.",
        )
    return y


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
    rows: list[list[Node]] = [[] for _ in xs]
    for element in range(size(y.shape)):
        row = gradients(y, xs, gradient=one_hot_like(y, element))
        for of_x, g in zip(rows, row, strict=True):
            of_x.append(g)
    return [_assembled(of_x, y, x) for of_x, x in zip(rows, xs, strict=True)]


def _by_columns(y: Node, x: Node) -> Node:
    columns: list[Node] = []
    shape = sizes(y.shape) + sizes(x.shape)
    for element in range(size(x.shape)):
        t = forward([y], {x: one_hot_like(x, element)})[0]
        columns.append(ops.zeros_like(y) if t is None else t)
    if not columns:
        return as_node(np.zeros(shape, y.dtype))
    return ops.reshape(ops.stack(columns, axis=y.ndim), shape)


def _assembled(rows: list[Node], y: Node, x: Node) -> Node:
    shape = sizes(y.shape) + sizes(x.shape)
    return ops.reshape(ops.stack(rows), shape) if rows else as_node(np.zeros(shape, x.dtype))


class Call:
    """The arguments of one call; those to differentiate are replaced by fresh nodes."""

    def __init__(self, args: tuple[Any, ...], argnums: Argnums) -> None:
        self.single = isinstance(argnums, int)
        numbers = [argnums] if isinstance(argnums, int) else list(argnums)
        for number in numbers:
            if not -len(args) <= number < len(args):
                hint = "They count from 0: argnums=0 is the first."
                if not args:
                    hint = "f takes none: of a node y, take pg.gradients(y, x)."
                raise GradientError(
                    f"argnums {number} is out of range for {counted(len(args), 'argument')}.",
                    hint=hint,
                )
        numbers = [number % len(args) for number in numbers]
        self.began = next_serial()
        self.given_nodes = any(isinstance(leaf, Node) for leaf in leaves(list(args)))
        fresh = {number: mapped(_own_node, args[number]) for number in numbers}
        self.trees = [fresh[number] for number in numbers]
        self.nodes: list[Node] = [leaf for tree in self.trees for leaf in leaves(tree)]
        self.arguments = [
            as_argument(arg, fresh[number]) if number in fresh else arg
            for number, arg in enumerate(args)
        ]

    def value(self, f: Function, kwargs: Mapping[str, Any] | None = None) -> Any:
        """The value that f returns for the arguments."""
        with differentiated(self.nodes):
            try:
                return called(f, *self.arguments, **(kwargs or {}))
            except ValueError as error:
                if not isinstance(error.__cause__, GradientError):
                    raise
                cut = error.__cause__.with_traceback(error.__traceback__)
            except TypeError as error:
                if any(isinstance(tree, (list, tuple)) for tree in self.trees):
                    error.add_note(
                        "An argument of f is a list, whose numbers are differentiated one by one: "
                        "pass np.array([1.0, 2.0]) for one array."
                    )
                raise
        raise cut  # NumPy's a[i] = node puts a ValueError of its own in its place

    def shaped(self, results: Sequence[Any]) -> Any:
        """Results for `nodes`, in the structure of the arguments."""
        new = iter(results)
        trees = [rebuilt(tree, new) for tree in self.trees]
        return trees[0] if self.single else tuple(trees)

    def result(self, tree: Any) -> Any:
        """The results, as arrays if they have values and depend on no outer node, else as nodes."""
        if self.given_nodes:
            return tree
        nodes = [leaf for leaf in leaves(tree) if _computed(leaf)]
        if any(map(self._from_outside, dependencies(nodes, self.began))):
            return tree
        return mapped(lambda leaf: leaf.numpy() if _computed(leaf) else leaf, tree)

    def _from_outside(self, node: Node) -> bool:
        """Whether the node is older than the call, so that an outer transform may differentiate
        with respect to it."""
        bare = isinstance(node, Constant) and node.scalar is not None
        return node._serial < self.began and not bare


def _computed(leaf: Any) -> bool:
    return isinstance(leaf, Node) and not leaf.deferred


def _own_node(value: Any) -> Node:
    """A fresh node for this argument: other paths to the same node don't contribute."""
    node = value if isinstance(value, Node) else tensor(value)
    if node.dtype is not None and not is_inexact(node.dtype):
        raise GradientError(
            f"an argument is {node.dtype}: only floats have gradients.",
            hint="Make it a float, such as 2.0 or np.array([1.0, 2.0]).",
        )
    return ops.positive(node) if node is value else node
