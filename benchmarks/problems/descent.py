"""Nested minima: a saddle, and a charge that a particle's way depends on.

Each is solved by a descent whose slopes are derivatives of functions that differentiate, or
descend, themselves: outer and inner derivative by forward ("f") or reverse mode ("r").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from problems.problem import Array, Problem

CLOSE, FIRST_RATE, PATIENCE = 1e-5, 1e-5, 10
MODES = ("ff", "fr", "rf", "rr")


def norm(m: Any, x: Any) -> Any:
    return m.sqrt(m.sum(x * x))


def value_and_slope(m: Any, f: Callable[[Any], Any], mode: str) -> Callable[[Any], Any]:
    """f and its gradient, by one push of all unit vectors or by one pull."""
    if mode == "r":
        return m.value_and_grad(f)

    def pushed(x: Any) -> Any:
        push = m.vmap(lambda t: m.jvp(f, (x,), (t,)), out_axes=(None, 0))
        return push(m.constant(np.eye(x.shape[0])))

    return pushed


def argmin(m: Any, f: Callable[[Any], Any], start: Any, mode: str, steps: int | None = None) -> Any:
    """The descent: its rate doubles after ten steps that lowered f, and halves after one that
    didn't. Reverse mode over it takes a bound on its steps."""
    both = value_and_slope(m, f, mode)

    def goes_on(state: Any) -> Any:
        _, _, g, _, _, moving = state
        return moving & (norm(m, g) > CLOSE)

    def step(state: Any) -> Any:
        x, fx, g, rate, lowered, _ = state
        full = lowered == PATIENCE
        rate, lowered = m.where(full, 2 * rate, rate), m.where(full, 0, lowered)
        new = x - rate * g
        moving = norm(m, x - new) > CLOSE
        f_new, g_new = both(new)
        lower = f_new < fx
        taken = moving & lower
        return (
            m.where(taken, new, x),
            m.where(taken, f_new, fx),
            m.where(taken, g_new, g),
            m.where(lower, rate, rate / 2),
            m.where(lower, lowered + 1, 0),
            moving,
        )

    fx, g = both(start)
    rate, lowered, moving = (m.constant(np.array(v)) for v in (FIRST_RATE, 0, True))
    return m.while_loop(goes_on, step, (start, fx, g, rate, lowered, moving), max_steps=steps)[0]


def saddle(m: Any, start: Any, modes: str) -> Any:
    """(x, y) where f(x, y) = x·x − y·y is least over x of what is largest over y."""
    outer, inner = modes
    bound = 200 if outer == "r" else None

    def f(x: Any, y: Any) -> Any:
        return m.sum(x * x) - m.sum(y * y)

    def highest(x: Any) -> Any:
        return argmin(m, lambda y: -f(x, y), start, inner, bound)

    x = argmin(m, lambda x: f(x, highest(x)), start, outer)
    return m.concatenate([x, highest(x)])


def particle(m: Any, start: Any, modes: str) -> Any:
    """The w for which the particle meets the axis nearest to 0."""
    outer, inner = modes

    def meets(w: Any) -> Any:
        ten = m.constant(np.array([10.0]))
        charges = m.concatenate([ten, 10 - w]), m.constant(np.array([10.0, 0.0]))

        def push(x: Any) -> Any:
            potential = lambda x: sum(1 / norm(m, x - charge) for charge in charges)  # noqa: E731
            return value_and_slope(m, potential, inner)(x)[1]

        def step(state: Any) -> Any:
            x, v, _, _ = state
            return x + 0.1 * v, v - 0.1 * push(x), x, v

        x = m.constant(np.array([0.0, 8.0]))
        v = m.constant(np.array([0.75, 0.0]))
        bound = 500 if outer == "r" else None
        _, _, x, v = m.while_loop(
            lambda state: state[0][1] > 0, step, (x, v, x, v), max_steps=bound
        )
        return (x[0] - x[1] / v[1] * v[0]) ** 2

    return argmin(m, meets, start, outer)


def problem(f: Callable[..., Any], start: Array, answer: Array) -> Problem:
    def solved(m: Any, modes: str) -> Callable[..., Any]:
        return lambda start: f(m, start, modes)

    return Problem(
        sizes={modes: modes for modes in MODES},
        tiny="ff",
        arrays=lambda modes: (start,),
        value=solved,
        derivative=solved,
        reference=lambda part, modes, start: answer,
        peers=("JAX",),
    )


SADDLE = problem(saddle, np.array([1.0, 1.0]), np.full(4, 8.246324826140356e-06))
PARTICLE = problem(particle, np.array([0.0]), np.array([0.2071918746486116]))
