"""Implicit differentiation: derivatives of solutions, from the equations that they solve.

A solver is run on numbers, by whatever method, and not differentiated. If F(x, θ) = 0 determines x,
then ∂x/∂θ = −(∂F/∂x)⁻¹ ∂F/∂θ; of a cotangent g of x, with (∂F/∂x)ᵀ w = g, the cotangent of θ is
−(∂F/∂θ)ᵀ w. Griewank & Walther 2008, "Evaluating Derivatives", chapter 15. The θ are the Variables,
tensors and arguments of enclosing transforms that the function of x closes over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import is_floating
from ..errors import GradientError
from ..graph.context import context, graph_scope
from ..graph.leaves import Constant, Placeholder
from ..graph.node import Node, next_serial
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.calls import called, public
from ..ops.linalg.solve import Solve
from ..shapes import size, sizes
from .batching import Examples, OneExample, Rebuilt
from .calls import Function, as_arrays, check_function
from .gradients import gradients
from .ruled import RuledBackward, outside
from .second import jacobian_of

# (vector ↦ matrix · vector, right side) ↦ solution
LinearSolve = Callable[[Function, Any], Any]


class _Equation:
    """The node F of a function of one array, traced on a node that stands for it, and the nodes
    that the function closes over."""

    def __init__(self, what: str, f: Function, like: Node) -> None:
        if like.dtype is None or not is_floating(like.dtype) or like.shape is None:
            raise GradientError(f"{what}: the unknown is one array of floats, got {like.label()}.")
        with graph_scope(OneExample(what), hidden=True):
            self.x = Placeholder(sizes(like.shape), dtype=like.dtype)
            self.since = self.x._serial
            result = called(f, self.x)
            if isinstance(result, (list, tuple, dict)) or result is None:
                raise GradientError(f"{what}: f returns one array, got {type(result).__name__}.")
            self.y = as_node(result)
        if self.y.shape != like.shape:
            raise GradientError(
                f"{what}: f returned shape {self.y.shape} for an unknown of shape {like.shape}.",
                hint="There are as many equations as unknowns.",
            )
        self.outer = outside([self.y], [self.x], self.since)

    def at(self, x: Node, outer: Sequence[Node]) -> Node:
        """F at x, with these nodes in place of those that f closes over."""
        given = {node: Rebuilt(new, mapped=False) for node, new in zip(self.outer, outer)}
        given[self.x] = Rebuilt(x, mapped=False)
        (found,) = Examples(1, given, self.since, "same").of([self.y])
        return found.node

    def numbers(self, x: Any) -> Any:
        """F at x, an array for an array, through which no derivative flows."""
        node = as_node(x, self.x.dtype)
        fixed = [ops.stop_gradient(one) if one._differentiable else one for one in self.outer]
        return _plain(self.at(ops.stop_gradient(node), fixed))


def _own(x: Any) -> Any:
    """A node of its own of the same value, so that other paths to x don't count."""
    return ops.positive(x) if x._differentiable else x


def _plain(y: Node) -> Any:
    return y if y._value is None else np.array(y._value)


def _solution(what: str, found: Any, like: Node) -> Node:
    """What a solver returned, as a node without history of the unknown's shape and dtype."""
    node = ops.stop_gradient(as_node(found, like.dtype))
    if node.shape != like.shape:
        raise GradientError(
            f"{what}: the solver returned shape {node.shape} for an unknown of {like.shape}."
        )
    return node if node.dtype == like.dtype else ops.cast(node, like.dtype)


def _implicit(
    what: str, equation: _Equation, solution: Node, solve: LinearSolve | None, began: int
) -> Any:
    """The solution, with the derivatives that the equation gives it."""

    def rule(gs: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> Sequence[Any]:
        (g,), (x,) = gs, outputs
        x, outer = ops.positive(x), [*map(_own, inputs)]
        residual = equation.at(x, outer)
        if solve is None:
            n = size(sizes(x.shape))
            matrix = ops.reshape(jacobian_of(residual, x), (n, n))
            w = ops.reshape(Solve(matrix, ops.reshape(g, (n,)), transposed=True), x.shape)
        else:
            w = as_node(called(solve, lambda v: gradients(residual, x, gradient=v), g), g.dtype)
            w = ops.reshape(w, x.shape)
        floats = [one for one in outer if one._differentiable]
        found = iter(gradients(residual, floats, gradient=ops.negative(w)) if floats else [])
        return [next(found) if one._differentiable else None for one in outer]

    if not equation.outer:
        return as_arrays(solution, began, context().graph is not None)
    node = RuledBackward(solution, *equation.outer, results=1, rule=rule)
    return as_arrays(node.items[0], began, False)


@public
def custom_root(
    f: Function, initial: Any, solve: Callable[[Function, Any], Any],
    transpose_solve: LinearSolve | None = None,
) -> Any:  # fmt: skip
    """x with f(x) = 0, which solve(f, initial) finds, and which is differentiated implicitly with
    respect to all that f closes over, in any mode and to any order.

    f takes and returns one array of floats. `solve` gets f as a function of plain arrays, and
    returns x. transpose_solve(v ↦ (∂f/∂x)ᵀ v, g) solves (∂f/∂x)ᵀ w = g; without it the matrix is
    formed and factored.

    >>> import palingrad as pg
    >>> def root(a):
    ...     def newton(f, x):
    ...         for _ in range(30):
    ...             x = x - f(x) / (2 * x)
    ...         return x
    ...     return pg.custom_root(lambda x: x * x - a, 1.0, newton)
    >>> pg.value_and_grad(root)(4.0)
    (array(2., dtype=float32), array(0.25, dtype=float32))
    """
    check_function("custom_root", f)
    check_function("custom_root: solve", solve)
    began = next_serial()
    start = _floating(initial)
    equation = _Equation("pg.custom_root", f, start)
    found = called(solve, equation.numbers, _plain(ops.stop_gradient(start)))
    solution = _solution("custom_root", found, start)
    return _implicit("custom_root", equation, solution, transpose_solve, began)


@public
def custom_linear_solve(
    matvec: Function, b: Any, solve: LinearSolve, transpose_solve: LinearSolve | None = None,
    *, symmetric: bool = False,
) -> Any:  # fmt: skip
    """x with matvec(x) = b for a linear function, which solve(matvec, b) finds, and which is
    differentiated with respect to b and all that `matvec` closes over.

    `solve` gets functions of plain arrays, where there are values. transpose_solve(vecmat, g)
    solves the transposed system; a `symmetric` one is solved by `solve`. Without either the matrix
    is formed and factored.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> a = np.array([[2.0, 0.0], [0.0, 4.0]])
    >>> solve = lambda matvec, b: np.linalg.solve(a, b)
    >>> pg.grad(lambda b: pg.sum(pg.custom_linear_solve(lambda x: a @ x, b, solve)))(np.ones(2))
    array([0.5 , 0.25])
    """
    check_function("custom_linear_solve", matvec)
    check_function("custom_linear_solve: solve", solve)
    began = next_serial()
    right = _floating(b)
    equation = _Equation("pg.custom_linear_solve", lambda x: matvec(x) - right, right)
    linear = _Equation("pg.custom_linear_solve", matvec, right)
    found = called(solve, linear.numbers, _plain(ops.stop_gradient(right)))
    solution = _solution("custom_linear_solve", found, right)
    transposed = transpose_solve or (solve if symmetric else None)
    if transposed is None:
        return _implicit("custom_linear_solve", equation, solution, None, began)
    given = transposed

    def by_solver(vecmat: Function, g: Any) -> Any:
        """The system of g by the solver itself, whose result is differentiated likewise."""
        return custom_linear_solve(vecmat, g, given, solve)

    return _implicit("custom_linear_solve", equation, solution, by_solver, began)


def _floating(x: Any) -> Node:
    """x as a node of floats: Python's integers are meant as such."""
    node = as_node(x)
    if isinstance(node, Constant) and node.dtype is not None and not is_floating(node.dtype):
        return as_node(np.asarray(x, np.float64) if np.ndim(x) else float(x))
    return node
