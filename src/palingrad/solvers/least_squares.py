"""Nonlinear least squares: SciPy's methods with compiled Jacobians, and Gauss–Newton."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import ArgumentError
from ..functions import function
from ..graph.registry import ops
from ..messages.calls import public
from ..messages.checks import one_of, shown, whole, within
from ..sparse.jacobian import sparse_jacobian
from .flat import Flat

_DENSE = 0.2  # the share of places from which on a Jacobian is an ordinary array
_METHODS = ("trf", "dogbox", "lm", "gauss-newton")
_HALVINGS = 30  # of a Gauss–Newton step that doesn't reduce the sum of squares


@public
def least_squares(
    residuals: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str = "trf",
    *,
    tol: float = 1e-8,
    max_steps: int = 100,
    **options: Any,
) -> Any:
    """The x near x0 that minimises ½·Σ residuals(x, *args)², with an exact compiled Jacobian, which
    is sparse where most of its places are 0.

    "trf", "dogbox" and "lm" (Levenberg–Marquardt) are methods of `scipy.optimize.least_squares`,
    which takes the other options; "gauss-newton" solves the linearised problem in each step and
    halves a step until it reduces the sum. Returns SciPy's result, x in the structure of x0.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> t = np.linspace(0, 1, 20)
    >>> y = 3 * np.exp(-2 * t)
    >>> found = pg.least_squares(lambda p: p[0] * pg.exp(p[1] * t) - y, np.array([1.0, -1.0]))
    >>> found.x.round(6)
    array([ 3., -2.])
    """
    if not callable(residuals):
        raise ArgumentError(
            f"least_squares: expected a function, got {type(residuals).__name__} "
            f"{shown(residuals)}."
        )
    one_of("least_squares: method", method, _METHODS)
    within("least_squares: tol", tol, "(0, inf)", like=1e-8)
    whole("least_squares: max_steps", max_steps, least=1, like=100)
    args = args if isinstance(args, tuple) else (args,)
    flat = Flat("least_squares: x0", x0)

    def of_vector(z: Any, *rest: Any) -> Any:
        return ops.reshape(residuals(flat.tree(z), *rest), (-1,))

    found = _solved(of_vector, flat.vector, args, method, tol, max_steps, options)
    found.x = flat.tree(found.x)
    return found


def _solved(
    f: Callable[..., Any],
    start: Array,
    args: Any,
    method: str,
    tol: float,
    steps: int,
    options: Any,
) -> Any:
    """The result for residuals f of a vector."""
    from scipy import optimize

    run, slopes = function(f), sparse_jacobian(f)
    dense = method == "lm" or slopes.sparsity(start, *args).density > _DENSE

    def value(z: Array) -> Array:
        return np.array(run(z, *args), np.float64)

    def jacobian(z: Array) -> Any:
        found = slopes(z, *args)
        return found.toarray() if dense else found

    if method == "gauss-newton":
        if options:
            raise ArgumentError(f"least_squares: gauss-newton has no options {sorted(options)}.")
        return _gauss_newton(value, jacobian, start, tol, steps)
    given: dict[str, Any] = {"ftol": tol, "xtol": tol, "gtol": tol, "max_nfev": steps, **options}
    solver: Any = optimize.least_squares
    return solver(value, start, jacobian, method=method, **given)


def _gauss_newton(value: Any, jacobian: Any, x: Array, tol: float, max_steps: int) -> Any:
    """x ← x − step, where the step minimises ‖J·step − r‖; halved until the sum falls."""
    from scipy import optimize, sparse

    r = value(x)
    cost, evaluations, step = 0.5 * r @ r, 1, np.inf
    status, message, steps = 0, f"{max_steps} steps were taken", 0
    slopes: Any = jacobian(x)
    while steps < max_steps:
        steps += 1
        full = _linear(slopes, r, sparse.issparse(slopes))
        scale = 1.0
        for _ in range(_HALVINGS):
            new = value(x - scale * full)
            evaluations += 1
            lower = 0.5 * new @ new
            if lower <= cost:
                break
            scale /= 2
        else:
            status, message = -1, "no part of the step reduces the sum of squares"
            break
        step, fall = np.linalg.norm(scale * full), cost - lower
        x, r, cost = x - scale * full, new, lower
        slopes = jacobian(x)
        if step <= tol * (tol + np.linalg.norm(x)) or fall <= tol * cost or cost == 0:
            status, message = 1, "the step or the reduction is below the tolerance"
            break
    slope = slopes.T @ r
    if status == -1 and np.linalg.norm(slope, np.inf) <= tol:
        status, message = 1, "the gradient is below the tolerance"
    return optimize.OptimizeResult(
        x=x, fun=r, jac=slopes, grad=slope, cost=cost, nit=steps, nfev=evaluations,
        status=status, message=message, success=status > 0,
        optimality=float(np.linalg.norm(slope, np.inf)),
    )  # fmt: skip


def _linear(slopes: Any, r: Array, is_sparse: bool) -> Array:
    """The least-squares solution of J·step = r."""
    if not is_sparse:
        return np.linalg.lstsq(slopes, r, rcond=None)[0]
    from scipy.sparse import linalg

    return linalg.lsmr(slopes, r, atol=1e-14, btol=1e-14)[0]
