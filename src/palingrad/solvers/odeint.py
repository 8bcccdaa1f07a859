"""Solutions of ordinary differential equations, with derivatives by the adjoint equation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from ..autodiff.transforms import vjp
from ..dtypes import Array
from ..errors import ArgumentError, ConvergenceError, ShapeError
from ..functions import function
from ..graph.context import graph_scope
from ..graph.kinds import Custom
from ..graph.node import Node
from ..graph.registry import ops
from ..messages.calls import public
from ..messages.checks import one_of, shown, whole, within
from ..shapes import size, sizes
from .implicit import Parameters, check_closed, unknown


class Trajectory(Custom):
    """y(t₀), y(t₁), … with dy/dt = f(y, t, *θ); inputs y(t₀), the times, θ.

    The cotangent a(t) of y(t) obeys da/dt = −a·∂f/∂y and jumps by gᵢ at tᵢ; that of θ is the
    integral of a·∂f/∂θ. Both are integrated backwards with y, by the same operation: any order
    follows. Source: R. Chen et al., "Neural ordinary differential equations", 2018.
    """

    def shape_rule(y, *shapes):
        start, times, *_ = shapes
        return (times[0], *start)

    def compute(self, *values: Any) -> Any:
        start, times, *rest = values
        with graph_scope(None, hidden=True):
            return _integrated(self.run, start, times, rest, self.rtol, self.atol)

    def vjp(y, g, *x):
        _, times, *parameters = x
        count, *shape = sizes(y.shape)
        length = int(np.prod(shape))
        adjoint = y.adjoint if y.adjoint is not None else _adjoint(y.f, shape)
        a = ops.reshape(g[count - 1], (length,))
        totals: list[Any] = [ops.zeros_like(one) for one in parameters]
        of_times: list[Any] = []
        for place in range(count - 1, 0, -1):
            slope = ops.reshape(y.f(y[place], times[place], *parameters), (length,))
            of_times.append(ops.sum(slope * ops.reshape(g[place], (length,))))
            flat = [ops.reshape(one, (-1,)) for one in (y[place], a, *totals)]
            span = ops.stack([times[place], times[place - 1]])
            end = Trajectory(
                ops.concat(flat), span, *parameters, f=adjoint.f, run=adjoint.run, adjoint=None,
                rtol=y.rtol, atol=y.atol,
            )[1]  # fmt: skip
            a = end[length : 2 * length] + ops.reshape(g[place - 1], (length,))
            totals = _parts(end, 2 * length, totals)
        before = a - ops.reshape(g[0], (length,))
        first = ops.reshape(y.f(y[0], times[0], *parameters), (length,))
        of_times.append(ops.negative(ops.sum(before * first)))
        return [ops.reshape(a, shape), ops.stack(of_times[::-1]), *totals]


Trajectory._shipped = False  # engines call `compute`, which runs the user's code, as a user's


class _Dynamics:
    """A right-hand side f(y, t, *θ), and its compiled form."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f, self.run = f, function(f)


def _adjoint(f: Callable[..., Any], shape: Any) -> _Dynamics:
    """The right-hand side of (y, a, cotangents of θ), flattened into one vector."""
    length = int(np.prod(shape))

    def augmented(state: Any, t: Any, *parameters: Any) -> Any:
        y = ops.reshape(state[:length], shape)
        a = ops.reshape(state[length : 2 * length], shape)
        value, pull = vjp(lambda y, *given: f(y, t, *given), y, *parameters)
        slopes = [ops.reshape(ops.negative(one), (-1,)) for one in pull(a)]
        return ops.concat([ops.reshape(value, (length,)), *slopes])

    return _Dynamics(augmented)


def _parts(vector: Any, first: int, like: list[Any]) -> list[Any]:
    """Consecutive parts of a vector, in the shapes of these nodes."""
    found: list[Any] = []
    for one in like:
        last = first + size(one.shape)
        found.append(ops.reshape(vector[first:last], one.shape))
        first = last
    return found


def _integrated(
    run: Any, start: Array, times: Array, rest: list[Array], rtol: float, atol: float
) -> Array:
    """y at the times, by the Dormand–Prince pair of orders 5 and 4 of SciPy."""
    from scipy import integrate

    shape, dtype = start.shape, start.dtype
    result = np.empty((times.size, *shape), dtype)
    result[:1] = start

    def slope(t: float, y: Array) -> Array:
        now = np.array(t, times.dtype)
        return np.array(run(y.astype(dtype).reshape(shape), now, *rest), float).ravel()

    y = start.astype(np.float64).ravel()
    for place, (low, high) in enumerate(pairwise(times), 1):
        if low != high and y.size:
            found = integrate.solve_ivp(slope, (low, high), y, rtol=rtol, atol=atol)
            if not found.success:
                raise ConvergenceError(f"odeint: from t = {low:g} to {high:g}: {found.message}")
            y = found.y[:, -1]
        result[place] = y.reshape(shape)
    return result


@public
def odeint(
    f: Callable[..., Any],
    y0: Any,
    t: Any,
    *args: Any,
    method: str = "dopri5",
    steps: int = 1,
    rtol: float = 1e-8,
    atol: float = 1e-10,
) -> Any:
    """y at the times t, with dy/dt = f(y, t, *args) and y(t[0]) = y0: shape (times, *y0.shape).

    "dopri5" chooses its steps by `rtol` and `atol` (Dormand and Prince, in SciPy) and is
    differentiable in y0, t and the arrays among `args`, to any order, by the adjoint equation, to
    about these tolerances. "rk4" takes `steps` steps of the classical method between two times, as
    ordinary nodes: its derivatives are exact for what it computes, and it compiles; use it for few
    steps. f may read no other node or Variable.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> t = np.array([0.0, 1.0])
    >>> decay = lambda rate: pg.odeint(lambda y, t, rate: -rate * y, np.array(1.0), t, rate)[-1]
    >>> float(pg.grad(decay)(np.array(2.0)).round(6))
    -0.135335
    """
    one_of("odeint: method", method, ("dopri5", "rk4"))
    whole("odeint: steps", steps, least=1, like=10)
    for name, value in (("rtol", rtol), ("atol", atol)):
        within(f"odeint: {name}", value, "(0, inf)", like=1e-8)
    if not callable(f):
        raise ArgumentError(f"odeint: expected a function, got {type(f).__name__} {shown(f)}.")
    start, times, parameters = unknown("odeint: y0", y0), unknown("odeint: t", t), Parameters(args)
    if times.ndim != 1 or not size(times.shape):
        raise ShapeError(f"odeint: t has shape {times.shape}; expected a vector of times.")
    times = times if times.dtype == start.dtype else ops.cast(times, start.dtype)

    def of(y: Any, now: Any, *values: Any) -> Any:
        return f(y, now, *parameters.arguments(values))

    if method == "rk4":
        y = _runge_kutta(of, start, times, parameters.nodes, steps)
    else:
        check_closed("odeint", of, [start, times[0], *parameters.nodes], start)
        made = _Dynamics(of)
        y = Trajectory(
            start, times, *parameters.nodes, f=of, run=made.run,
            adjoint=_adjoint(of, sizes(start.shape)), rtol=rtol, atol=atol,
        )  # fmt: skip
    keeps = any(isinstance(x, Node) for x in (y0, t, *parameters._given))
    return y if keeps or y.deferred else y.numpy()


def _runge_kutta(f: Any, y: Any, times: Any, parameters: list[Node], steps: int) -> Any:
    """The classical method of order 4."""
    found = [y]
    for place in range(1, size(times.shape)):
        now, h = times[place - 1], (times[place] - times[place - 1]) / steps
        for _ in range(steps):
            k1 = f(y, now, *parameters)
            k2 = f(y + h / 2 * k1, now + h / 2, *parameters)
            k3 = f(y + h / 2 * k2, now + h / 2, *parameters)
            k4 = f(y + h * k3, now + h, *parameters)
            y, now = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), now + h
        found.append(y)
    return ops.stack(found)
