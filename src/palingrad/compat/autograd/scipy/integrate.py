"""scipy.integrate: `odeint` of nodes, differentiated by the adjoint equation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.integrate as _original

from ....graph.node import Node
from ....graph.registry import ops
from ....trees import leaves, rebuilt
from ..core import make_vjp
from ..extension import defvjp_argnums, primitive
from ..forwarding import has_nodes
from ..misc.flatten import flatten

__all__ = ["odeint"]


def odeint(func: Callable[..., Any], y0: Any, t: Any, args: Any = (), **options: Any) -> Any:
    """The solutions y(t[i]), (points, n), of dy/dt = func(y, t, *args) with y(t[0]) = y0, by LSODA.

    Differentiable in y0, t and args: the adjoint equation is solved backwards from point to point,
    with the same options: rtol, atol, hmax, hmin, mxstep, mxordn, mxords. Values of other nodes
    that func uses raise GradientError.
    """
    if not has_nodes((y0, t, args), {}):
        return _original.odeint(func, y0, t, args, **options)
    _check(options)
    tfirst = options.pop("tfirst", False)

    def slope(y: Any, at: Any, *given: Any) -> Any:
        own = rebuilt(args, iter(given))
        return func(at, y, *own) if tfirst else func(y, at, *own)

    return _solution(slope, options, y0, t, *leaves(args))


# Those that hold for the adjoint equation too, which has more unknowns and runs backwards.
_OPTIONS = ("rtol", "atol", "hmax", "hmin", "mxstep", "mxordn", "mxords", "tfirst")


def _check(options: dict[str, Any]) -> None:
    """Raise NotImplementedError for options that the adjoint equation can't be solved with."""
    for name, value in options.items():
        if name not in _OPTIONS:
            raise NotImplementedError(
                f"odeint of nodes has no {name}=: the adjoint equation is solved with the same "
                f"options, and takes {', '.join(_OPTIONS)}. Of arrays all of SciPy's are there."
            )
        if np.ndim(value):
            raise NotImplementedError(
                f"odeint of nodes takes one number as {name}=, got {np.size(value)}: the adjoint "
                "equation has more unknowns."
            )


@primitive
def _solution(slope: Any, options: dict[str, Any], y0: Any, t: Any, *args: Any) -> Any:
    return _original.odeint(slope, y0, t, args, **options)


def _adjoint(argnums: Sequence[int], y: Any, given: Any, _: Any) -> Callable[[Any], Any]:
    """With the adjoint a = ∂L/∂y(t): da/dt = −aᵀ ∂f/∂y, the gradient of the arguments θ is the
    integral of aᵀ ∂f/∂θ, that of t[i > 0] is gᵢ·f, that of t[0] is −a·f (Pontryagin 1962)."""
    slope, options, _, t, *args = given
    size = np.shape(y)[1]
    theta, unflatten = flatten(args)

    def flat_slope(y: Any, at: Any, theta: Any) -> Any:
        return slope(y, at, *unflatten(theta))

    def backwards(state: Any, at: Any, theta: Any) -> Any:
        y, a = state[:size], state[size : 2 * size]
        pull, f = make_vjp(lambda both: flat_slope(both[0], at, both[1]), (y, theta))
        of_y, of_theta = pull(-a)
        return _joined([f, of_y, of_theta])

    def vjp(g: Any) -> list[Any]:
        a, of_theta = g[-1], np.zeros(np.shape(theta))
        later: Any = np.zeros(size)  # what y at later points contributes
        of_t: list[Any] = []
        for i in range(len(t) - 1, 0, -1):
            of_t.insert(0, ops.sum(g[i] * slope(y[i], t[i], *args)))
            start = _joined([y[i], a, of_theta])
            span = _joined([t[i : i + 1], t[i - 1 : i]])
            end = odeint(backwards, start, span, (theta,), **options)[1]
            later, of_theta = end[size : 2 * size], end[2 * size :]
            a = later + g[i - 1]
        of_t.insert(0, -ops.sum(later * slope(y[0], t[0], *args)))
        found = [a, _joined([ops.reshape(one, (1,)) for one in of_t]), *unflatten(of_theta)]
        return [found[number - 2] for number in argnums]

    return vjp


def _joined(parts: list[Any]) -> Any:
    if any(isinstance(part, Node) for part in parts):
        return ops.concat(parts)
    return np.concatenate(parts)


defvjp_argnums(_solution, _adjoint)


__getattr__ = functools.partial(getattr, _original)
