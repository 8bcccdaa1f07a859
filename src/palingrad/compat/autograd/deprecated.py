"""Methods of primitives by which autograd before 1.2 was told derivatives."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any


def add_methods(fun: Any, defvjp: Callable[..., None]) -> None:
    """`fun.defgrad`, `fun.defvjp` and `fun.defvjp_is_zero`, each for one argument at a time."""
    makers: dict[int, Any] = {}

    def define(argnum: int, maker: Any, instead: str) -> None:
        warnings.warn(f"{instead} replaces this method", DeprecationWarning, stacklevel=3)
        makers[argnum] = maker
        defvjp(fun, *makers.values(), argnums=tuple(makers))

    def defgrad(maker: Any, argnum: int = 0) -> None:
        define(argnum, maker, "defvjp(f, maker)")

    def old_defvjp(vjp: Any, argnum: int = 0) -> None:
        def maker(ans: Any, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
            return lambda g: vjp(g, ans, None, None, *args, **kwargs)

        define(argnum, maker, "defvjp(f, maker)")

    def defvjp_is_zero(argnums: Iterable[int] = (0,)) -> None:
        for argnum in argnums:
            define(argnum, None, "defvjp(f, None)")

    fun.defgrad, fun.defvjp, fun.defvjp_is_zero = defgrad, old_defvjp, defvjp_is_zero
