"""Small helpers of autograd."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from .test_util import check_grads


def subvals(x: Iterable[Any], ivs: Iterable[tuple[int, Any]]) -> tuple[Any, ...]:
    """A tuple with some elements replaced."""
    replaced = list(x)
    for number, value in ivs:
        replaced[number] = value
    return tuple(replaced)


def subval(x: Iterable[Any], i: int, v: Any) -> tuple[Any, ...]:
    """A tuple with one element replaced."""
    return subvals(x, [(i, v)])


def quick_grad_check(
    fun: Any, arg0: Any, extra_args: Any = (), kwargs: Any = None, **_: Any
) -> None:
    """check_grads of the first argument, in reverse mode."""
    warnings.warn("quick_grad_check is deprecated: use check_grads", stacklevel=2)
    check_grads(lambda x: fun(x, *extra_args, **(kwargs or {})), modes=["rev"], order=1)(arg0)
