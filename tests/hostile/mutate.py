"""Mutations of bytes and of JSON values, chosen by a random generator."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

_EDGES = (0, 1, 2, 3, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**63, 2**64 - 1)


def mutated_bytes(content: bytes, rng: random.Random) -> bytes:
    """`content` with one to three mutations: flips, cuts, splices, repeats, other lengths."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if not data:
            break
        rng.choice((_flip, _flip, _number, _cut, _drop, _splice, _noise, _extend))(data, rng)
    return bytes(data)


def _place(data: bytearray, rng: random.Random) -> int:
    """A place, often in the header."""
    return rng.randrange(len(data) if rng.random() < 0.5 else min(len(data), 64))


def _flip(data: bytearray, rng: random.Random) -> None:
    data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _number(data: bytearray, rng: random.Random) -> None:
    size, order = rng.choice((1, 2, 4, 8)), rng.choice(("big", "little"))
    at = _place(data, rng)
    data[at : at + size] = (rng.choice(_EDGES) % 256**size).to_bytes(size, order)


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[_place(data, rng) :]


def _drop(data: bytearray, rng: random.Random) -> None:
    at = _place(data, rng)
    del data[at : at + rng.randrange(1, 20)]


def _splice(data: bytearray, rng: random.Random) -> None:
    """Copy a piece over or into another place."""
    start, at, size = _place(data, rng), _place(data, rng), rng.randrange(1, 40)
    piece = data[start : start + size]
    data[at : at + rng.choice((0, len(piece)))] = piece


def _noise(data: bytearray, rng: random.Random) -> None:
    at = _place(data, rng)
    data[at : at + 8] = rng.randbytes(8)


def _extend(data: bytearray, rng: random.Random) -> None:
    data += rng.randbytes(rng.randrange(1, 50))


# ---------------------------------------------------------------- JSON


def nested(depth: int, kind: str = "list") -> str:
    """A JSON text nested this deep."""
    if kind == "list":
        return "[" * depth + "]" * depth
    return '{"a":' * depth + "1" + "}" * depth


def mutated_json(value: Any, rng: random.Random) -> Any:
    """A copy of a JSON value with one to three changes in its structure."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 2, 3))):
        value = _changed(value, rng)
    return value


def _changed(value: Any, rng: random.Random) -> Any:
    """The value after one change at a random place."""
    places: list[tuple[Any, Any]] = []
    stack = [value] if isinstance(value, (dict, list)) else []
    while stack:
        here = stack.pop()
        keys = here if isinstance(here, dict) else range(len(here))
        for key in keys:
            places.append((here, key))
            if isinstance(here[key], (dict, list)):
                stack.append(here[key])
    if not places or rng.random() < 0.02:
        return _odd(rng)
    here, key = rng.choice(places)
    action = rng.random()
    if action < 0.5:
        here[key] = _odd(rng)
    elif action < 0.7:
        here[key] = _near(here[key], rng)
    elif action < 0.85:
        del here[key]
    elif isinstance(here, dict):
        here[rng.choice(("", "a", key + "x", "\0", "place", "tuple"))] = _odd(rng)
    else:
        other, name = rng.choice(places)
        here.insert(key, copy.deepcopy(other[name]))
    return value


def _near(value: Any, rng: random.Random) -> Any:
    """A value of the same type, slightly or absurdly different."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return rng.choice((value + 1, value - 1, -value, value * 10**6, 2**31, 2**63, 10**30))
    if isinstance(value, str):
        return rng.choice((value + "\0", value[:-1], "", value * 50, "\ud800", "float64", "object"))
    if isinstance(value, list):
        return rng.choice((value[:-1], value + value, value[::-1], [value], [*value, 0]))
    if isinstance(value, dict):
        return rng.choice((list(value), {}, {"tuple": [value]}))
    return _odd(rng)


def _odd(rng: random.Random) -> Any:
    """A value of any type."""
    return rng.choice((
        None, True, False, 0, -1, 1, 2, 7, 10**9, 2**31, -(2**63), 10**400, 0.5, -0.0, 1e308,
        float("nan"), float("inf"), "", "a", "0", "\0", "\ud800\udfff", "x" * 10_000, "float32",
        "object", "V10", "<script>", "../../x", [], {}, [[]], [None], [0, 0], {"a": 1},
        {"tuple": []},
        {"tuple": [None]}, {"slice": [0, 1, 0]}, {"dtype": "O"}, {"number": ["S9", "1"]},
        {"float": "nan"}, {"ellipsis": 1}, {"list": [{"tuple": [1]}]},
        json.loads(nested(rng.choice((5, 60)))), json.loads(nested(40, "dict")),
    ))  # fmt: skip
