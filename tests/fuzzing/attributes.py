"""Other attributes than a sample's: those whose name says what they may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import palingrad as pg
from fuzzing.values import BOOL, FLOATS, INTEGERS
from palingrad.graph.operation import Operation

Shape = tuple[int, ...]


def varied(
    rng: np.random.Generator,
    operation: type[Operation],
    attributes: Mapping[str, Any],
    nodes: Sequence[pg.Node],
) -> dict[str, Any]:
    """A sample's attributes, many of those that are known by name drawn anew.

    A new one is of a type that one of the operation's samples has.
    """
    shape: Any = nodes[0].shape if nodes else ()
    found = dict(attributes)
    for name in attributes:
        if name in VARIATIONS and rng.random() < 0.6:
            new = VARIATIONS[name](rng, found[name], shape)
            found[name] = new if _alike(operation, name, new) else found[name]
    return found


def _alike(operation: type[Operation], name: str, new: Any) -> bool:
    """Whether samples give this attribute such a value: of this type, negative, or with a −1."""
    given = [sample.attributes.get(name) for sample in operation.samples]
    if isinstance(new, tuple) and -1 in new and name == "shape":
        return any(isinstance(old, tuple) and -1 in old for old in given)
    if type(new) is int and new < 0 and not any(type(old) is int and old < 0 for old in given):
        return False
    return type(new) in map(type, given)


def _axis(rng: np.random.Generator, old: Any, shape: Shape) -> Any:
    rank = max(len(shape), 1)
    if rng.random() < 0.3:
        count = int(rng.integers(1, rank + 1))
        return tuple(int(one) for one in rng.choice(rank, count, replace=False))
    if old is None or rng.random() < 0.2:
        return None
    return int(rng.integers(-rank, rank))


def _keepdims(rng: np.random.Generator, old: Any, shape: Shape) -> Any:
    return bool(rng.random() < 0.5)


def _dtype(rng: np.random.Generator, old: Any, shape: Shape) -> Any:
    if old.kind == "f" and rng.random() < 0.6:
        return FLOATS[rng.integers(1, 3)]
    choices = (*FLOATS[1:], *INTEGERS, BOOL)
    return choices[rng.integers(len(choices))]


def _shape(rng: np.random.Generator, old: Any, shape: Shape) -> Any:
    """The same elements, or the shape with axes put in front of it and widened."""
    total = int(np.prod(shape))
    divisors = [n for n in range(1, total + 1) if total % n == 0][:12] or [0]
    first = int(divisors[rng.integers(len(divisors))])
    if rng.random() < 0.3:
        return (int(rng.integers(0, 4)), *shape)
    if rng.random() < 0.3:
        return (first, -1) if first else (-1,)
    return (first, total // first if first else 3)


def _index(rng: np.random.Generator, old: Any, shape: Shape) -> Any:
    parts: list[Any] = []
    for size in shape[: rng.integers(len(shape) + 1)]:
        if size and rng.random() < 0.25:
            parts.append(int(rng.integers(-size, size)))
        elif rng.random() < 0.3:
            parts.append(slice(None))
        else:
            start, stop = (
                None if rng.random() < 0.4 else int(rng.integers(-size - 1, size + 2))
                for _ in range(2)
            )
            parts.append(slice(start, stop, int(rng.choice([1, 1, 2, 3, -1, -2]))))
        if rng.random() < 0.1:
            parts.append(None)
    if rng.random() < 0.3:
        parts.insert(0, Ellipsis)
    return tuple(parts)


def _axes(rng: np.random.Generator, old: Any, shape: Shape) -> Any:
    if old and isinstance(old[0], tuple):  # pairs of axes of two inputs
        return old
    order = rng.permutation(len(shape))
    return tuple(int(one) - (len(shape) if rng.random() < 0.3 else 0) for one in order)


def _sizes(rng: np.random.Generator, old: Any, shape: Shape) -> Any:
    total = shape[rng.integers(len(shape))] if shape else 0
    cuts = sorted(int(one) for one in rng.integers(0, total + 1, size=int(rng.integers(1, 4))))
    return tuple(int(one) for one in np.diff([0, *cuts, total]))


VARIATIONS: dict[str, Callable[[np.random.Generator, Any, Shape], Any]] = dict(
    axis=_axis, keepdims=_keepdims, dtype=_dtype, shape=_shape, index=_index, axes=_axes,
    sizes=_sizes,
)  # fmt: skip
