"""isinstance and type of what a node stands for; containers are Python's own."""

from __future__ import annotations

import builtins
from typing import Any

from .tracer import getval

dict = builtins.dict
list = builtins.list
tuple = builtins.tuple

# Containers of nodes are Python's own.
DictBox = builtins.dict
SequenceBox = (builtins.list, builtins.tuple)


def isinstance(value: Any, types: Any) -> bool:
    """Whether a value, or what a node stands for, is an instance of these types."""
    return builtins.isinstance(getval(value), types) or builtins.isinstance(value, types)


def type(value: Any) -> Any:
    """The type of a value, or of what a node stands for."""
    return builtins.type(getval(value))
