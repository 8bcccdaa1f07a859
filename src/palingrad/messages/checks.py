"""Checks of arguments, each of which raises ArgumentError with what was expected and an example."""

from __future__ import annotations

import math
from collections.abc import Iterable
from operator import index
from types import FunctionType
from typing import Any

import numpy as np

from ..errors import ArgumentError


def within(what: str, value: Any, interval: str, like: Any) -> Any:
    """`value`, a number in `interval`, such as "[0, 1)"; `like` is an example for the message.

    >>> within("Adam: beta1", 0.5, "[0, 1)", like=0.9)
    0.5
    """
    low, high = (float(end) for end in interval[1:-1].split(","))
    number = number_of(value)
    if number is not None:
        above = number >= low if interval[0] == "[" else number > low
        below = number <= high if interval[-1] == "]" else number < high
        if above and below:
            return value
    raise ArgumentError(f"{what} is {shown(value)}; expected {_numbers(low, high, interval)}.",
                        hint=f"Write {last_word(what)}={like}.")  # fmt: skip


def _numbers(low: float, high: float, interval: str) -> str:
    if high == math.inf:
        finite = "" if interval[-1] == "]" else " finite"
        if low == -math.inf:
            return f"a{finite} number"
        return f"a{finite} number {'≥' if interval[0] == '[' else 'above'} {low:g}"
    return f"a number in {interval}"


def whole(what: str, value: Any, *, least: int = 0, like: Any = 1) -> int:
    """`value` as an int that is at least `least`; `like` is an example for the message."""
    try:
        number = None if isinstance(value, bool) else index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        raise ArgumentError(f"{what} is {shown(value)}; expected an integer ≥ {least}.",
                            hint=f"Write {last_word(what)}={like}.")  # fmt: skip
    return number


def flag(what: str, value: Any) -> bool:
    """`value`, True or False: text such as "no" would count as true."""
    if isinstance(value, (bool, np.bool_)) or (type(value) is int and value in (0, 1)):
        return bool(value)
    raise ArgumentError(
        f"{what} is {shown(value)}; expected True or False.",
        hint=f"Write {last_word(what)}=True.",
    )


def one_of(what: str, value: Any, options: Iterable[str]) -> Any:
    """`value`, one of these strings. The message suggests the nearest."""
    names = list(options)
    if isinstance(value, str) and value in names:
        return value
    raise ArgumentError(
        f"{what} is {shown(value)}; expected {' or '.join(map(repr, names))}.",
        hint=did_you_mean(value, names, quoted=True),
    )


def number_of(value: Any) -> float | None:
    """A real number as a float; None for anything else, such as text, a list or a boolean."""
    if isinstance(value, (bool, str, bytes)):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def did_you_mean(word: Any, words: Iterable[str], *, quoted: bool = False) -> str:
    """'Did you mean …?' with the nearest of the words, or "" if none is near."""
    near = nearest(word, words)
    if near is None:
        return ""
    return f"Did you mean {near!r}?" if quoted else f"Did you mean {near}?"


def close(word: str, words: Iterable[str], count: int = 3, cutoff: float = 0.6) -> list[str]:
    """At most `count` of the words, those spelt most like `word` first."""
    import difflib

    return difflib.get_close_matches(word, words, count, cutoff)


def nearest(word: Any, words: Iterable[str]) -> str | None:
    """The word that is spelt most like `word`, in capitals or not, or None."""
    if not isinstance(word, str):
        return None
    by_case = {name.lower(): name for name in words}
    found = close(word.lower(), by_case, 1, 0.65)
    if not found and len(word) > 3:  # a part of a name, such as decay of weight_decay
        found = [name for name in by_case if word.lower() in name.split("_")][:1]
    return by_case[found[0]] if found else None


def shown(value: Any, limit: int = 40) -> str:
    """A value on one line, abbreviated, for messages; a function or class by its name."""
    if isinstance(value, (type, FunctionType)):
        return f"the {'class' if isinstance(value, type) else 'function'} {value.__name__}"
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def counted(number: int, noun: str) -> str:
    """'1 input', '2 inputs'."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def last_word(what: str) -> str:
    """'beta1' of 'Adam: beta1': the name of an argument in a description of it."""
    return what.replace(":", " ").split()[-1]
