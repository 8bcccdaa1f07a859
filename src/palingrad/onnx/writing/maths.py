"""`m` for formulas that are written as ONNX operators."""

from __future__ import annotations

from typing import Any

from .elementwise import folded
from .library import LibraryOnnx


class OnnxMaths(LibraryOnnx):
    """The namespace `m`. Functions of numbers and arrays alone are computed at once."""

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in _FOLDED and callable(found):
            return lambda *xs, **options: (
                found(*xs, **options) if (y := folded(name, *xs, **options)) is None else y
            )
        return found

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"there are no operators for {name}")


_FOLDED = frozenset(
    ("add", "subtract", "multiply", "divide", "power", "negative", "sqrt", "exp", "log", "less",
     "bitwise_and", "right_shift", "left_shift", "bitwise_xor", "where", "cast", "cos", "sin")
)  # fmt: skip
