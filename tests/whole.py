"""What `make test` deals out and `make test-whole` tests whole: repetitions, for whose number there
is time once."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
WHOLE = os.environ.get("PALINGRAD_TESTS") == "whole"


def in_turn(things: Sequence[T], name: str, every: int = 3) -> Sequence[T]:
    """Every third of the things, at least one of any, from one on that the name chooses: other
    names choose others. With PALINGRAD_TESTS=whole all."""
    if WHOLE or not things:
        return things
    return things[zlib.crc32(name.encode()) % min(every, len(things)) :: every]
