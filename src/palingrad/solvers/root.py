"""Solutions of equations, with derivatives by the implicit function theorem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autodiff.second import jacobian
from ..autodiff.transforms import vjp
from ..dtypes import Array
from ..errors import ArgumentError, ConvergenceError
from ..functions import function
from ..graph.context import graph_scope
from ..graph.kinds import Custom
from ..graph.node import Node
from ..graph.registry import ops
from ..linalg import solve
from ..messages.calls import public
from ..messages.checks import shown, whole, within
from .implicit import Parameters, check_closed, unknown

Solve = Callable[..., Array]


class Solution(Custom):
    """The x with residual(x, *θ) = 0 that `solve(x0, *θ)` finds.

    residual(x(θ), θ) = 0 for all θ, so ∂residual/∂x·∂x/∂θ = −∂residual/∂θ: the cotangent of θ is
    −λ·∂residual/∂θ with (∂residual/∂x)ᵀ·λ = g. Both are nodes of x and θ: any order follows.
    """

    def compute(self, *values: Any) -> Any:
        x0, *rest = values
        with graph_scope(None, hidden=True):
            found = self.solve(x0, *rest)
        return np.asarray(found, x0.dtype).reshape(x0.shape)

    def vjp(y, g, *x):
        _, *parameters = x
        if not parameters:
            return [None]
        size = int(np.prod(g.shape))
        slopes = jacobian(lambda unknown: y.residual(unknown, *parameters))(y)
        square = ops.reshape(slopes, (size, size))
        right = ops.reshape(g, (size,))
        multiplier = solve(ops.matrix_transpose(square), right)
        _, pull = vjp(lambda *given: y.residual(y, *given), *parameters)
        return [None, *pull(ops.negative(ops.reshape(multiplier, g.shape)))]


Solution._shipped = False  # engines call `compute`, which runs the user's code, as a user's


@public
def root(
    f: Callable[..., Any], x0: Any, *args: Any, method: str = "hybr", tol: float | None = None
) -> Any:
    """The x near x0 with f(x, *args) = 0, by a method of `scipy.optimize.root` with a compiled
    Jacobian. x has x0's shape and dtype; `tol` is 1e-10, for float32 1e-6, unless you give it.

    x is differentiable in the arrays among `args`, to any order, by the implicit function theorem:
    ∂x/∂a = −(∂f/∂x)⁻¹·∂f/∂a. f may read no other node or Variable. If an argument is a node, so is
    the result.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> f = lambda x, a: x**2 - a
    >>> pg.root(f, np.array(1.0), np.array(4.0))
    array(2.)
    >>> pg.grad(lambda a: pg.root(f, np.array(1.0), a))(np.array(4.0))
    array(0.25)
    """
    from scipy import optimize

    if tol is not None:
        within("root: tol", tol, "(0, inf)", like=1e-10)

    def solver(of: Callable[..., Any]) -> Solve:
        run, slopes = function(of), function(jacobian(of))

        def solved(x0: Array, *values: Array) -> Array:
            shape, dtype = x0.shape, x0.dtype
            start = x0.astype(np.float64).ravel()

            def value(z: Array) -> Array:
                return np.array(run(z.astype(dtype).reshape(shape), *values), float).ravel()

            def slope(z: Array) -> Array:
                found = slopes(z.astype(dtype).reshape(shape), *values)
                return np.array(found, float).reshape(z.size, z.size)

            found = optimize.root(
                value, start, jac=slope, method=method, tol=_tolerance(tol, dtype)
            )
            if not found.success or not np.isfinite(found.x).all():
                raise ConvergenceError(
                    f"root: {method} found no solution: {' '.join(found.message.split())}",
                    hint="Start nearer to one, or take another method, such as 'lm'.",
                )
            return found.x

        return solved

    return _solved("root", f, x0, args, lambda of: of, solver)


@public
def fixed_point(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    tol: float | None = None,
    max_steps: int = 10_000,
) -> Any:
    """The x with f(x, *args) = x that x ← f(x, *args) converges to from x0: until a step changes
    it by less than tol·(1 + |x|). `tol` is 1e-10, for float32 1e-6, unless you give it.

    It is differentiable in the arrays among `args` as `root` is, not through the iterations.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> float(pg.fixed_point(lambda x: pg.cos(x), 1.0).round(6))
    0.739085
    """
    if tol is not None:
        within("fixed_point: tol", tol, "(0, inf)", like=1e-10)
    whole("fixed_point: max_steps", max_steps, least=1, like=10_000)

    def solver(of: Callable[..., Any]) -> Solve:
        run = function(of)

        def solved(x0: Array, *values: Array) -> Array:
            x, least = x0, _tolerance(tol, x0.dtype)
            for _ in range(max_steps):
                new = run(x, *values)
                if not np.isfinite(new).all():
                    break
                change = np.max(np.abs(new - x), initial=0)
                if change <= least * (1 + np.max(np.abs(new), initial=0)):
                    return new
                x = new
            raise ConvergenceError(
                f"fixed_point: x ← f(x) didn't converge to {least:g} in {max_steps} steps.",
                hint="pg.root(lambda x: f(x) - x, x0) needs no contraction.",
            )

        return solved

    def residual(of: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x, *values: of(x, *values) - x

    start = x0 if isinstance(x0, Node) else np.asarray(x0)
    return _solved("fixed_point", f, start, args, residual, solver)


def _tolerance(tol: float | None, dtype: Any) -> float:
    """The tolerance that was given, or one that numbers of the dtype can meet."""
    if tol is not None:
        return tol
    return 1e-10 if np.finfo(dtype).eps < 1e-10 else 1e-6


def _solved(what: str, f: Any, x0: Any, args: Any, residual: Any, solver: Any) -> Any:
    """The node of the solution, or its value if no argument is a node."""
    if not callable(f):
        raise ArgumentError(f"{what}: expected a function, got {type(f).__name__} {shown(f)}.")
    start = unknown(f"{what}: x0", x0)
    parameters = Parameters(args)

    def of(x: Any, *values: Any) -> Any:
        return f(x, *parameters.arguments(values))

    check_closed(what, of, [start, *parameters.nodes], start)
    inputs = (ops.stop_gradient(start), *parameters.nodes)
    y = Solution(*inputs, residual=residual(of), solve=solver(of))
    keeps = isinstance(x0, Node) or any(isinstance(x, Node) for x in parameters._given)
    return y if keeps or y.deferred else y.numpy()
