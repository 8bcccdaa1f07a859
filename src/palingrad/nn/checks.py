"""Checks of the arguments that layers share."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError
from ..messages.checks import shown
from . import init


def check_initializer(layer: str, initializer: Any) -> None:
    """Raise ArgumentError unless `initializer` can be called."""
    if callable(initializer):
        return
    name = (
        initializer if isinstance(initializer, str) and initializer in vars(init) else "he_normal"
    )
    raise ArgumentError(f"{layer}: initializer is {shown(initializer)}; expected a function.",
                        hint=f"Write initializer=pg.nn.init.{name}.")  # fmt: skip
