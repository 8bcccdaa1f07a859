"""What distributions share: their parameters bound, location and scale, support, tails."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from ..graph.node import Node
from ..graph.promotion import align
from ..graph.registry import ops
from ..messages.elsewhere import STATS
from ..messages.names import unknown_name

Standard = Callable[..., Any]  # f(z, *shapes), of the distribution with location 0 and scale 1


class Distribution:
    """A family of distributions. Called with parameters it binds them: `norm(1, 2).logpdf(x)`."""

    def __call__(self, *parameters: Any, **named: Any) -> Bound:
        return Bound(self, parameters, named)

    def __getattr__(self, name: str) -> Any:
        raise unknown_name(f"palingrad.stats.{type(self).__name__.lower()}", name, dir(self), STATS)

    def __repr__(self) -> str:
        return f"pg.stats.{type(self).__name__.lower()}"


class Bound:
    """A distribution with its parameters."""

    def __init__(
        self, distribution: Distribution, parameters: tuple[Any, ...], named: dict[str, Any]
    ) -> None:
        self.distribution, self.parameters, self.named = distribution, parameters, named

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.distribution, name)
        if name == "entropy":
            return partial(method, *self.parameters, **self.named)
        return lambda x, **options: method(x, *self.parameters, **self.named, **options)


def aligned(x: Any, *parameters: Any) -> tuple[Node, ...]:
    """x and parameters as nodes of one dtype of real floats."""
    return align((x, *parameters), promotes=True, floats=True, complexes=False)


def positive(x: Any) -> Any:
    """x, and NaN where it isn't positive: parameters outside of their domain give NaN."""
    return ops.where(x > 0, x, math.nan)


def standard(x: Any, shapes: Any, loc: Any, scale: Any) -> tuple[Any, list[Any], Any]:
    """z = (x − loc)/scale, the shape parameters, and the scale, None if it is the number 1."""
    moved = not (type(loc) in (int, float) and loc == 0)
    scaled = not (type(scale) in (int, float) and scale == 1)
    given = (*((loc,) if moved else ()), *((scale,) if scaled else ()))
    x, *rest = aligned(x, *shapes, *given)
    spread = positive(rest.pop()) if scaled else None
    z = x - rest.pop() if moved else x
    return z if spread is None else z / spread, rest, spread


def density(f: Standard, x: Any, shapes: Any, loc: Any, scale: Any, name: str | None) -> Node:
    """f(z)/scale."""
    z, shapes, spread = standard(x, shapes, loc, scale)
    y = f(z, *shapes)
    return named(y if spread is None else y / spread, name)


def log_density(f: Standard, x: Any, shapes: Any, loc: Any, scale: Any, name: str | None) -> Node:
    """f(z) − log scale."""
    z, shapes, spread = standard(x, shapes, loc, scale)
    y = f(z, *shapes)
    return named(y if spread is None else y - ops.log(spread), name)


def tail(f: Standard, x: Any, shapes: Any, loc: Any, scale: Any, name: str | None) -> Node:
    """f(z)."""
    z, shapes, _ = standard(x, shapes, loc, scale)
    return named(f(z, *shapes), name)


def log_tail(
    f: Standard, rest: Standard, x: Any, shapes: Any, loc: Any, scale: Any, name: str | None
) -> Node:
    """log f(z), by rest = 1 − f where f(z) is near 1, without cancellation.

    Where f(z) underflows −∞ with slope 0, so that gradients aren't NaN.
    """
    z, shapes, _ = standard(x, shapes, loc, scale)
    p, q = f(z, *shapes), rest(z, *shapes)
    large, none = p > 0.5, p == 0
    upper = ops.log1p(-ops.where(large, q, 0))
    lower = ops.where(none, -math.inf, ops.log(ops.where(none | large, 1, p)))
    return named(ops.where(large, upper, ops.where(ops.isnan(p), p, lower)), name)


def within(inside: Any, z: Any, harmless: float, f: Standard, outside: float, *shapes: Any) -> Any:
    """f(z, *shapes) where `inside`, else `outside`, or NaN where a parameter is NaN.

    f isn't evaluated outside, but at `harmless`, so that it has no slopes there.
    """
    y = f(ops.where(inside, z, harmless), *shapes)
    return ops.where(inside | ops.isnan(y), y, outside)


def named(y: Any, name: str | None) -> Node:
    """y, of this name if it isn't None."""
    return y if name is None else ops.positive(y, name=name)
