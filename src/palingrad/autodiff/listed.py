"""Lists of numbers as arguments of transforms: each number is an argument of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ArgumentError, UnknownNameError

_HINT = "For a vector pass an array: np.array([1.0, 2.0])."
_OPERATORS = (
    "add radd iadd mul rmul imul sub rsub truediv rtruediv pow rpow matmul rmatmul neg abs "
    "floordiv mod lt le gt ge"
).split()


class _Refusing:
    """Refuses Python's operators, which join and repeat lists: whoever writes 2 * t means a
    product."""

    def __getattr__(self, name: str) -> Any:
        fact = f"the argument is a list of numbers, which has no {name!r}"
        raise UnknownNameError(f"{fact}.", hint=_HINT)


def _refused(name: str) -> Callable[..., Any]:
    def operator(self: Any, *other: Any) -> Any:
        raise ArgumentError(
            "the argument is a list of numbers, each differentiated by itself; operators take "
            "arrays.",
            hint=_HINT,
        )

    operator.__name__ = operator.__qualname__ = f"__{name}__"
    return operator


for _name in _OPERATORS:
    setattr(_Refusing, f"__{_name}__", _refused(_name))


class _List(_Refusing, list[Any]):
    """A list of nodes for a list of numbers."""


class _Tuple(_Refusing, tuple[Any, ...]):
    """A tuple of nodes for a tuple of numbers."""


def as_argument(given: Any, tree: Any) -> Any:
    """The nodes for a given argument; for a list or tuple of numbers, in one without operators."""
    if type(given) not in (list, tuple) or not _is_numbers(given):
        return tree
    return _List(tree) if type(given) is list else _Tuple(tree)


def _is_numbers(given: Any) -> bool:
    return bool(given) and all(
        type(x) in (bool, int, float) or (type(x) in (list, tuple) and _is_numbers(x))
        for x in given
    )
