"""The namespace in which JAX solves `problems`: float64, everything in one jitted function."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp

NAMES = (
    "concatenate", "cos", "einsum", "exp", "log", "max", "min", "ones",
    "ones_like", "prod", "sign", "sin", "sqrt", "squeeze", "stack", "sum", "tanh", "where",
    "zeros", "zeros_like",
)  # fmt: skip


def scan(f: Any, carry: Any, xs: Any, checkpoint: bool = False) -> Any:
    return jax.lax.scan(jax.checkpoint(f) if checkpoint else f, carry, xs)


def while_loop(condition: Any, body: Any, carry: Any, max_steps: int | None = None) -> Any:
    """With a bound a scan, as JAX's documentation advises for reverse mode."""
    if max_steps is None:
        return jax.lax.while_loop(condition, body, carry)

    def step(carry: Any, _: Any) -> Any:
        return jax.lax.cond(condition(carry), body, lambda carry: carry, carry), None

    return jax.lax.scan(step, carry, None, max_steps)[0]


def polynomial(x: Any, t: Any) -> Any:
    """x₀ + x₁t + x₂t² + … for each t, by running products: a scan is faster here than cumprod,
    than associative_scan, and than a scan that adds up the terms."""
    powers = jax.lax.scan(lambda power, _: (power * t, power), jnp.ones_like(t), None, len(x))[1]
    return x @ powers


NAMESPACE = SimpleNamespace(
    **{name: getattr(jnp, name) for name in NAMES},
    **{name: getattr(jax, name) for name in ("grad", "jvp", "value_and_grad", "vmap")},
    jacobian=jax.jacfwd, constant=jnp.asarray, fori_loop=jax.lax.fori_loop, polynomial=polynomial,
    scan=scan, sigmoid=jax.nn.sigmoid, while_loop=while_loop,
)  # fmt: skip


def compiled(f: Callable[..., Any], arrays: Any) -> Callable[[], Any]:
    jitted, given = jax.jit(f), [jnp.asarray(one) for one in arrays]
    return lambda: jax.block_until_ready(jitted(*given))
