"""The loop over the blocks of a batch, whose steps devices may share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .loop import Loop
from .scan import Scan


class Blocks(Loop):
    r"""yₜ = body(xₜ) for each block xₜ of a batch: a loop without carries.

    Its steps are computed one by one, as they stand: the passes that take products of all steps of
    a Loop at once, or what is the same in all of them before it, leave it alone. So the numbers of
    a block are the same wherever it is computed.
    """

    math = r"\operatorname{blocks}({x})"
    shared = True


def of_blocks(f: Callable[[Any], Any], xs: Any) -> Any:
    """f of each row of xs, stacked, as by `map`."""
    return Scan("blocks", lambda carry, x: (None, f(x)), None, Blocks).stacked(xs)
