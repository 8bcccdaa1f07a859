"""`minimize`, in the shape of `scipy.optimize.minimize`, with exact compiled derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autodiff.transforms import grad, jvp, value_and_grad
from ..dtypes import Array
from ..errors import ArgumentError
from ..functions import function
from ..messages.calls import public
from ..messages.checks import shown
from ..sparse.jacobian import sparse_hessian
from .flat import Flat

_SLOPES = (
    "CG", "BFGS", "Newton-CG", "L-BFGS-B", "TNC", "SLSQP", "dogleg", "trust-ncg", "trust-exact",
    "trust-krylov", "trust-constr",
)  # fmt: skip
_PRODUCTS = ("Newton-CG", "trust-ncg", "trust-krylov", "trust-constr")
_MATRICES = ("dogleg", "trust-exact")
_OTHERS = ("Nelder-Mead", "Powell", "COBYLA", "COBYQA")


@public
def minimize(
    f: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str | None = None,
    *,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: Any = None,
) -> Any:
    """The minimum of a scalar f(x, *args) near x0, by one of the methods of
    `scipy.optimize.minimize`, whose result it returns; x has the structure of x0, which may be an
    array or a list, tuple or dict of arrays.

    f is compiled once with its gradient. Newton's methods ("Newton-CG", "trust-ncg",
    "trust-krylov", "trust-constr") get products of the Hessian and a vector, "dogleg" and
    "trust-exact" the Hessian, computed by its sparsity. The default is "L-BFGS-B", with
    constraints "SLSQP". All numbers are float64.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> found = pg.minimize(lambda x: pg.sum((x - 3.0) ** 2), np.zeros(2))
    >>> found.x.round(6), found.success
    (array([3., 3.]), True)
    """
    from scipy import optimize

    if not callable(f):
        raise ArgumentError(
            f"minimize: expected a function, got {type(f).__name__} {shown(f)}.",
            hint="Variables in a graph are trained by pg.optim.Adam().minimize(loss).",
        )
    args = args if isinstance(args, tuple) else (args,)
    chosen = method or ("SLSQP" if constraints else "L-BFGS-B")
    chosen = _known(chosen)
    flat = Flat("minimize: x0", x0)

    def of_vector(z: Any, *rest: Any) -> Any:
        return f(flat.tree(z), *rest)

    run, given = _evaluated(of_vector, chosen)
    found = optimize.minimize(
        run, flat.vector, args, method=chosen, bounds=bounds, constraints=constraints, tol=tol,
        callback=callback, options=options, **given,
    )  # fmt: skip
    found.x = flat.tree(found.x)
    return found


def _evaluated(f: Callable[..., Any], method: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    """What SciPy calls for f, with its gradient where the method takes one, and the keywords that
    say so; products with the Hessian, or the Hessian, for the methods that take them."""
    given: dict[str, Any] = {}
    if method not in _SLOPES:
        alone = function(f)
        return lambda z, *rest: float(alone(z, *rest)), given
    both = function(value_and_grad(f))

    def run(z: Any, *rest: Any) -> Any:
        value, slope = both(z, *rest)
        return float(value), _writable(slope)

    given["jac"] = True
    if method in _PRODUCTS:

        def along(z: Any, v: Any, *rest: Any) -> Any:
            return jvp(lambda z: grad(f)(z, *rest), (z,), (v,))[1]

        product = function(along)
        given["hessp"] = lambda z, v, *rest: _writable(product(z, np.asarray(v, float), *rest))
    if method in _MATRICES:
        hessian = sparse_hessian(f)
        given["hess"] = lambda z, *rest: hessian(z, *rest).toarray()
    return run, given


def _known(method: Any) -> str:
    """The method's name as SciPy spells it."""
    names = {name.lower(): name for name in (*_SLOPES, *_OTHERS)}
    aliases = {"lbfgs": "L-BFGS-B", "l-bfgs": "L-BFGS-B", "newton": "Newton-CG"}
    name = names.get(str(method).lower()) or aliases.get(str(method).lower())
    if name is None:
        raise ArgumentError(
            f"minimize: method is {shown(method)}; expected one of "
            f"{', '.join(sorted(names.values()))}."
        )
    return name


def _writable(array: Array) -> Array:
    """A float64 copy, which SciPy's compiled code may write to."""
    return np.array(array, np.float64)
