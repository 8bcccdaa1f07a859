"""The maths namespace `m` of JAX's arrays, with NumPy's semantics.

Functions that aren't here raise Unmapped: NumPy computes operations whose formulas call them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....dtypes import float16, float32, is_boolean
from ....maths.protocol import ARRAYS, ELEMENTWISE, LIBRARY
from ..jaxlib import jax, jnp, lax
from .arrays import ARRAY_FUNCTIONS


class Unmapped(Exception):
    """Raised for what XLA isn't given: a function that only NumPy computes, or its dtype."""


def in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which is computed in float32 for half floats and rounded once."""

    def wrapped(*x: Any) -> Any:
        if all(one.dtype == float16 for one in map(jnp.asarray, x)):
            return function(*(jnp.asarray(one).astype(float32) for one in x)).astype(float16)
        return function(*x)

    return wrapped


def of_reals(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, refused for complex numbers, of which the special values differ."""

    def wrapped(*x: Any) -> Any:
        if any(jnp.iscomplexobj(one) for one in x):
            raise Unmapped("complex numbers")
        return function(*x)

    return wrapped


def absorbing_product(x: Any, y: Any) -> Any:
    """x·y, but 0 where x = 0 and y is ±∞ or NaN."""
    z = jnp.multiply(x, y)
    if not jnp.issubdtype(z.dtype, jnp.inexact):
        return z
    return jnp.where((jnp.asarray(x) == 0) & jnp.isnan(z), jnp.zeros((), z.dtype), z)


def is_whole(x: Any) -> bool:
    """Whether x holds integers or booleans."""
    return not jnp.issubdtype(jnp.asarray(x).dtype, jnp.inexact)


def floor_divide(x: Any, y: Any) -> Any:
    """⌊x/y⌋; for y = 0, integers give 0 and floats x/y."""
    if is_whole(x):
        quotient = jnp.floor_divide(x, jnp.where(jnp.equal(y, 0), 1, y).astype(x.dtype))
        return jnp.where(jnp.equal(y, 0), 0, quotient).astype(quotient.dtype)
    return jnp.where(jnp.equal(y, 0), x / y, _divmod(x, y)[0])


def mod(x: Any, y: Any) -> Any:
    """x − ⌊x/y⌋·y, with the sign of y; for y = 0, integers give 0 and floats NaN."""
    if is_whole(x):
        rest = jnp.mod(x, jnp.where(jnp.equal(y, 0), 1, y).astype(x.dtype))
        return jnp.where(jnp.equal(y, 0), 0, rest).astype(rest.dtype)
    return jnp.where(jnp.equal(y, 0), jnp.nan, _divmod(x, y)[1]).astype(x.dtype)


def _divmod(x: Any, y: Any) -> tuple[Any, Any]:
    """⌊x/y⌋ and the rest of floats, as NumPy rounds them."""
    rest = jnp.fmod(x, y)
    turned = (rest != 0) & ((y < 0) != (rest < 0))
    quotient = (x - rest) / y - jnp.where(turned, 1, 0).astype(x.dtype)
    low = jnp.floor(quotient)
    low = jnp.where(quotient - low > 0.5, low + 1, low)
    low = jnp.where(quotient == 0, jnp.copysign(jnp.zeros_like(quotient), x / y), low)
    signed = jnp.where(rest == 0, jnp.copysign(jnp.zeros_like(rest), y), rest)
    return low, jnp.where(turned, rest + y, signed)


def reciprocal(x: Any) -> Any:
    """1/x of floats."""
    if is_whole(x):
        raise Unmapped("reciprocals of integers")
    return jnp.ones((), x.dtype) / x


def hypot(x: Any, y: Any) -> Any:
    """√(x² + y²) without overflow; ∞ if x or y is ±∞."""
    return jnp.where(jnp.isinf(x) | jnp.isinf(y), jnp.inf, jnp.hypot(x, y)).astype(x.dtype)


def cast(x: Any, dtype: Any) -> Any:
    """x in another dtype; from floats to integers it truncates, within bounds."""
    x = jnp.asarray(x)
    if jnp.iscomplexobj(x) and not jnp.issubdtype(dtype, jnp.complexfloating):
        x = x != 0 if is_boolean(dtype) else jnp.real(x)
    return lax.convert_element_type(x, dtype)


def maximum(x: Any, y: Any) -> Any:
    """The larger number, NaN if one is NaN; of 0.0 and −0.0 the second, which XLA may exchange."""
    return jnp.where((y >= x) | jnp.isnan(y), y, x)


def minimum(x: Any, y: Any) -> Any:
    """The smaller number, as `maximum` has the larger one."""
    return jnp.where((y <= x) | jnp.isnan(y), y, x)


def angle(x: Any) -> Any:
    """0 or π, by the sign of real numbers; NaN of NaN."""
    return jnp.arctan2(jnp.zeros_like(x), x)


def overwritten(x: Any, values: Any, index: Any) -> Any:
    """x with x[index] = values, for a basic index."""
    return x.at[index].set(values)


def complex_of(x: Any, y: Any) -> Any:
    """x + iy, whatever the parts are."""
    x, y = jnp.broadcast_arrays(jnp.asarray(x), jnp.asarray(y))
    return lax.complex(x, y)


_HALVES = (
    "cbrt exp exp2 expm1 log log2 log10 log1p logaddexp sin cos tan arcsin arccos arctan arctan2 "
    "sinh cosh tanh arcsinh arccosh arctanh sqrt"
).split()
_REAL = (*_HALVES, "power", "sign", "square", "divide", "multiply",
         "rint", "floor", "ceil", "trunc")  # fmt: skip
_OWN: dict[str, Callable[..., Any]] = {
    "absorbing_product": of_reals(absorbing_product), "floor_divide": in_float32(floor_divide),
    "mod": in_float32(mod), "reciprocal": of_reals(reciprocal), "hypot": in_float32(hypot),
    "cast": cast, "erf": in_float32(jax.scipy.special.erf),
    "erfc": in_float32(jax.scipy.special.erfc),
    "angle": of_reals(angle), "bitwise_count": jnp.bitwise_count, "overwritten": overwritten,
    "maximum": of_reals(maximum), "minimum": of_reals(minimum),
    "real": jnp.real, "imag": jnp.imag, "conjugate": jnp.conjugate, "complex_of": complex_of,
    **ARRAY_FUNCTIONS,
}  # fmt: skip


def _function(name: str) -> Callable[..., Any] | None:
    if name in _OWN:
        return _OWN[name]
    if name not in ELEMENTWISE and name not in ARRAYS:
        return None
    function = getattr(jnp, name)
    if name in _HALVES:
        function = in_float32(function)
    return of_reals(function) if name in _REAL else function


class JaxMaths:
    """The namespace; a function that it lacks raises Unmapped when it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name in LIBRARY:
            raise Unmapped(f"m.{name}")
        raise AttributeError(f"m has no {name}")


jax_maths: Any = JaxMaths()
for _name in (*ELEMENTWISE, *ARRAYS, *LIBRARY):
    if (_found := _function(_name)) is not None:
        setattr(jax_maths, _name, _found)
