"""check_grads: derivatives of functions of any structure against central differences."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from .core import make_jvp, make_vjp, vspace
from .wrap_util import get_name, unary_to_nary

_TOLERANCE = 1e-6
_STEP = 1e-6


def scalar_close(a: Any, b: Any) -> bool:
    """Whether two numbers agree to 1e-6, absolutely or relatively."""
    return abs(a - b) < _TOLERANCE or abs(a - b) / abs(a + b) < _TOLERANCE


def check_equivalent(x: Any, y: Any) -> None:
    """AssertionError if two values differ in structure, shape, dtype or along a random vector."""
    space = vspace(x)
    assert space == vspace(y), f"VSpace mismatch:\nx: {space}\ny: {vspace(y)}"
    v = space.randn()
    assert scalar_close(space.inner_prod(x, v), space.inner_prod(y, v)), (
        f"Value mismatch:\nx: {x}\ny: {y}"
    )


def _difference(f: Callable[[Any], Any], x: Any, v: Any) -> Any:
    """The central difference of f along v."""
    space = vspace(x)
    plus = f(space.add(x, space.scalar_mul(v, _STEP / 2)))
    minus = f(space.add(x, space.scalar_mul(v, -_STEP / 2)))
    of = vspace(plus)
    return of.scalar_mul(of.add(plus, of.scalar_mul(minus, -1.0)), 1 / _STEP)


def check_vjp(f: Callable[[Any], Any], x: Any) -> None:
    """AssertionError if reverse mode disagrees with differences along random vectors."""
    vjp, y = make_vjp(f, x)
    space, of = vspace(x), vspace(y)
    v, w = space.randn(), of.randn()
    found = space.covector(vjp(of.covector(w)))
    assert vspace(found) == space
    exact, expected = space.inner_prod(v, found), of.inner_prod(w, _difference(f, x, v))
    assert scalar_close(expected, exact), (
        f"Derivative (VJP) check of {get_name(f)} failed with arg {x}:\n"
        f"analytic: {exact}\nnumeric:  {expected}"
    )


def check_jvp(f: Callable[[Any], Any], x: Any) -> None:
    """AssertionError if forward mode disagrees with differences along a random vector."""
    v = vspace(x).randn()
    check_equivalent(make_jvp(f, x)(v)[1], _difference(f, x, v))


@unary_to_nary
def check_grads(f: Any, x: Any, modes: Any = None, order: int = 2) -> None:
    """AssertionError if derivatives up to `order` disagree with differences in forward or reverse
    mode ("fwd", "rev"; both by default)."""
    modes = ["fwd", "rev"] if modes is None else modes
    assert all(mode in ("fwd", "rev") for mode in modes)
    if "fwd" in modes:
        check_jvp(f, x)
        if order > 1:
            again = _named(lambda x, v: make_jvp(f, x)(v)[1], f"jvp_{get_name(f)}")
            check_grads(again, (0, 1), modes, order=order - 1)(x, vspace(x).randn())
    if "rev" in modes:
        check_vjp(f, x)
        if order > 1:
            again = _named(lambda x, v: make_vjp(f, x)[0](v), f"vjp_{get_name(f)}")
            check_grads(again, (0, 1), modes, order=order - 1)(x, vspace(f(x)).randn())


def _named(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    function.__name__ = name
    return function


def combo_check(fun: Any, *args: Any, **kwargs: Any) -> Callable[..., None]:
    """check_grads for all combinations of the given arguments."""

    def check(*lists: Any, **named: Any) -> None:
        options = [[(key, value) for value in values] for key, values in named.items()]
        for given in product(*lists):
            for chosen in product(*options):
                check_grads(fun, *args, **kwargs)(*given, **dict(chosen))

    return check
