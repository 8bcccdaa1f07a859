"""Gradients, Jacobians, Hessians and products with them, on make_vjp and make_jvp."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph.node import Node
from ...graph.registry import ops
from .core import make_jvp as _make_jvp, make_vjp as _make_vjp, vspace
from .wrap_util import unary_to_nary

make_vjp = unary_to_nary(_make_vjp)
make_jvp = unary_to_nary(_make_jvp)


def _one(name: str, ans: Any) -> Any:
    """The cotangent 1 of a result that is one real number."""
    if type(ans) is np.float64:
        return 1.0
    space = vspace(ans)
    if space.size != 1:
        raise TypeError(
            f"{name} only applies to real scalar-output functions. "
            "Try jacobian, elementwise_grad or holomorphic_grad."
        )
    return space.ones()


@unary_to_nary
def grad(fun: Any, x: Any) -> Any:
    """The gradient of a function that returns one real number, in the structure of x."""
    vjp, ans = _make_vjp(fun, x)
    return vjp(_one("Grad", ans))


@unary_to_nary
def value_and_grad(fun: Any, x: Any) -> Any:
    """(fun(x), its gradient)."""
    vjp, ans = _make_vjp(fun, x)
    return ans, vjp(_one("value_and_grad", ans))


@unary_to_nary
def grad_and_aux(fun: Any, x: Any) -> Any:
    """(the gradient of the first result, the second result) of a function with two results."""
    vjp, (ans, aux) = _make_vjp(lambda x: tuple(fun(x)), x)
    return vjp((vspace(ans).ones(), vspace(aux).zeros())), aux


@unary_to_nary
def elementwise_grad(fun: Any, x: Any) -> Any:
    """The gradient of the sum of the results: of an elementwise function its derivative."""
    vjp, ans = _make_vjp(fun, x)
    if vspace(ans).iscomplex:
        raise TypeError("Elementwise_grad only applies to real-output functions.")
    return vjp(vspace(ans).ones())


@unary_to_nary
def deriv(fun: Any, x: Any) -> Any:
    """The derivative in forward mode, along ones."""
    return _make_jvp(fun, x)(vspace(x).ones())[1]


@unary_to_nary
def jacobian(fun: Any, x: Any) -> Any:
    """∂fun/∂x of arrays, of shape fun(x).shape + x.shape."""
    vjp, ans = _make_vjp(fun, x)
    shape = tuple(vspace(ans).shape) + tuple(vspace(x).shape)
    rows = [vjp(row) for row in vspace(ans).standard_basis()]
    if any(isinstance(row, Node) for row in rows):
        return ops.reshape(ops.stack(rows), shape)
    return np.reshape(np.stack(rows), shape)


@unary_to_nary
def holomorphic_grad(fun: Any, x: Any) -> Any:
    """The derivative of a complex-differentiable function of a complex number."""
    if not vspace(x).iscomplex:
        warnings.warn("Input to holomorphic_grad is not complex", stacklevel=2)
    return grad(lambda x: np.real(fun(x)))(x)


def grad_named(fun: Any, argname: str) -> Any:
    """The gradient by the argument of this name."""
    return grad(fun, list(inspect.signature(fun).parameters).index(argname))


@unary_to_nary
def hessian(fun: Any, x: Any) -> Any:
    """∂²fun/∂x², of shape x.shape + x.shape."""
    return jacobian(jacobian(fun))(x)


@unary_to_nary
def make_hvp(fun: Any, x: Any) -> Any:
    """(the function from v to Hessian·v at x, the gradient at x)."""
    return _make_vjp(grad(fun), x)


def hessian_tensor_product(fun: Any, argnum: int = 0) -> Callable[..., Any]:
    """The function of (*args, tensor) that returns the product of the Hessian with a tensor."""
    gradient = grad(fun, argnum)

    def product(*args: Any, **kwargs: Any) -> Any:
        *given, vector = args
        return np.tensordot(gradient(*given, **kwargs), vector, np.ndim(vector))

    return grad(product, argnum)


hessian_vector_product = hessian_tensor_product


def tensor_jacobian_product(fun: Any, argnum: int = 0) -> Callable[..., Any]:
    """The function of (*args, tensor) that returns the product of a tensor with the Jacobian."""

    def product(*args: Any, **kwargs: Any) -> Any:
        *given, vector = args
        return np.tensordot(vector, fun(*given, **kwargs), axes=np.ndim(vector))

    return jacobian(product, argnum)


vector_jacobian_product = tensor_jacobian_product


@unary_to_nary
def make_jvp_reversemode(fun: Any, x: Any) -> Any:
    """The function from v to ∂fun/∂x·v, by two reverse passes."""
    vjp, y = _make_vjp(fun, x)
    return _make_vjp(vjp, vspace(y).zeros())[0]


def _half_squares(x: Any) -> Any:
    return 0.5 * np.sum(x**2, axis=-1)


def make_ggnvp(f: Any, g: Any = _half_squares, f_argnum: int = 0) -> Any:
    """The function from v to the product of the generalized Gauss–Newton matrix of g∘f with v."""

    @unary_to_nary
    def made(f: Any, x: Any) -> Any:
        f_vjp, f_x = _make_vjp(f, x)
        g_hvp, _ = _make_vjp(grad(g), f_x)

        def ggnvp(v: Any) -> Any:
            return f_vjp(g_hvp(_make_jvp(f, x)(v)[1]))

        return ggnvp

    return made(f, f_argnum)


def multigrad_dict(fun: Any) -> Callable[..., Any]:
    """The function that returns the gradients by all arguments, by their names."""
    signature = inspect.signature(fun)

    def gradients(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()

        def of_arguments(given: Any) -> Any:
            positional: list[Any] = []
            named: dict[str, Any] = {}
            for name, parameter in signature.parameters.items():
                if parameter.kind is parameter.VAR_POSITIONAL:
                    positional += given[name]
                elif parameter.kind is parameter.VAR_KEYWORD:
                    named |= given[name]
                elif parameter.kind is parameter.KEYWORD_ONLY:
                    named[name] = given[name]
                else:
                    positional.append(given[name])
            return fun(*positional, **named)

        found = grad(of_arguments)(dict(bound.arguments))
        return OrderedDict((name, found[name]) for name in bound.arguments)

    return gradients


def checkpoint(fun: Any) -> Any:
    """The function itself: what its derivative needs is kept rather than computed again."""
    return functools.wraps(fun)(lambda *args, **kwargs: fun(*args, **kwargs))
