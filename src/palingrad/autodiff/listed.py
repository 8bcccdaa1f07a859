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


class Numbers(list[Any]):
    """A list of nodes. Python's operators, which join and repeat lists, are refused: whoever writes
    2 * t means a product."""

    def __getattr__(self, name: str) -> Any:
        fact = f"the argument is a list of numbers, which has no {name!r}"
        raise UnknownNameError(f"{fact}.", hint=_HINT)


def _refused(name: str) -> Callable[..., Any]:
    def operator(self: Numbers, *other: Any) -> Any:
        raise ArgumentError(
            "the argument is a list of numbers, each differentiated by itself; operators take "
            "arrays.",
            hint=_HINT,
        )

    operator.__name__ = operator.__qualname__ = f"__{name}__"
    return operator


for _name in _OPERATORS:
    setattr(Numbers, f"__{_name}__", _refused(_name))


def as_argument(given: Any, tree: Any) -> Any:
    """The nodes for a given argument: in a list that refuses operators, for a list of numbers."""
    return Numbers(tree) if type(given) is list and _is_numbers(given) else tree


def _is_numbers(given: list[Any]) -> bool:
    return bool(given) and all(
        type(x) in (bool, int, float) or (type(x) is list and _is_numbers(x)) for x in given
    )
