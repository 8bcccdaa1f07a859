"""Wrong answers with their kinds, made by rules from what is known of a derivative.

The rules know nothing of the lesson: each turns the facts of `graphs.py` into numbers by one
mistake. What two rules make by mistakes of different kinds isn't used, nor is what happens to be
right.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .graphs import Facts

RATE = 0.1


def labelled(facts: Facts) -> Iterator[tuple[str, Any]]:
    """(kind, wrong answer) by each rule that applies."""
    truth = np.asarray(facts.truth)
    yield "sign", -truth
    yield "rate", RATE * truth
    yield "rate", -RATE * truth
    if facts.own is not None:
        yield "forward", facts.own
        yield "rate", np.asarray(facts.own) - RATE * truth
    for value in facts.used:
        yield "forward", value
    for value in facts.local:
        yield "local", value
    if truth.ndim == 2:
        yield "transposed", truth.T
    for value in facts.untransposed:
        yield "transposed", value
    for value in facts.order:
        yield "order", value
    for part in facts.paths:
        yield "missing", truth - part
        yield "sign", truth - 2 * np.asarray(part)
        if len(facts.paths) > 2:
            yield "missing", part
    if len(facts.rows):
        yield "batch", np.stack([np.asarray(row) for row in facts.rows])
        for row in facts.rows:
            yield "batch", row


def distinct(facts: Facts) -> list[tuple[str, Any]]:
    """The labelled answers that are wrong, and that no rule of another kind makes too."""
    found = [(kind, np.asarray(answer, float)) for kind, answer in labelled(facts)]
    return [
        (kind, answer)
        for place, (kind, answer) in enumerate(found)
        if not same(answer, facts.truth)
        and not any(kind != other and same(answer, made) for other, made in found)
        and not any(same(answer, made) for _, made in found[:place])
    ]


def same(first: Any, second: Any) -> bool:
    """Whether two arrays agree within a percent of the largest element."""
    a, b = np.asarray(first, float), np.asarray(second, float)
    return a.shape == b.shape and bool(np.abs(a - b).max() <= 0.01 * np.abs(b).max())


def typed(answer: Any) -> str:
    """Numbers as a student types them, with five significant digits."""
    array = np.asarray(answer, float)
    if array.ndim == 0:
        return f"{float(array):.5g}"
    return f"[{', '.join(map(typed, array))}]"
