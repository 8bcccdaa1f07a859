"""Operators on functions of one argument, made operators on functions of several."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any


def get_name(f: Any) -> str:
    """The name of a function."""
    return getattr(f, "__name__", "[unknown name]")


def unary_to_nary(unary_operator: Callable[..., Any]) -> Callable[..., Any]:
    """The operator that takes the argument's number, or several numbers, as `argnum`."""

    @functools.wraps(unary_operator)
    def operator(
        fun: Any, argnum: int | Sequence[int] = 0, *options: Any, **more: Any
    ) -> Callable[..., Any]:
        if not isinstance(argnum, (int, tuple, list)):
            raise TypeError(f"argnum must be an int or a list of ints, got {argnum!r}")

        def function(*args: Any, **kwargs: Any) -> Any:
            numbers = [argnum] if isinstance(argnum, int) else list(argnum)

            def unary(x: Any) -> Any:
                replaced = list(args)
                for number, value in zip(
                    numbers, [x] if isinstance(argnum, int) else x, strict=True
                ):
                    replaced[number] = value
                return fun(*replaced, **kwargs)

            unary.__name__ = get_name(fun)
            x = args[argnum] if isinstance(argnum, int) else tuple(args[n] for n in numbers)
            return unary_operator(unary, x, *options, **more)

        function.__name__ = f"{get_name(unary_operator)}_of_{get_name(fun)}_wrt_argnum_{argnum}"
        function.__doc__ = f"{get_name(unary_operator)} of {get_name(fun)}, by argument {argnum}."
        return function

    return operator
