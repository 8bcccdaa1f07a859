"""Values of any structure as one vector, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ....graph.node import Node
from ....graph.registry import ops
from ....shapes import sizes
from ....trees import leaves, rebuilt
from ..wrap_util import get_name


def _shape(part: Any) -> tuple[int, ...]:
    return sizes(part.shape) if isinstance(part, Node) else np.shape(part)


def flatten(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """(all numbers as one vector, the function that gives a vector the structure of `value`). The
    values of a dict are taken in the order of its keys."""
    ordered = _sorted(value)
    parts = leaves(ordered)
    shapes = [_shape(part) for part in parts]
    ends = np.cumsum([0, *(int(np.prod(shape, dtype=np.int64)) for shape in shapes)])

    def unflatten(vector: Any) -> Any:
        pieces = (
            np.reshape(vector[begin:end], shape)[() if not shape else ...]
            for begin, end, shape in zip(ends, ends[1:], shapes, strict=False)
        )
        return _as_in(value, rebuilt(ordered, pieces))

    if any(isinstance(part, Node) for part in parts):
        return ops.concat([ops.reshape(part, (-1,)) for part in parts]), unflatten
    flat = [np.ravel(part) for part in parts]
    return np.concatenate(flat) if flat else np.zeros(0), unflatten


def _sorted(tree: Any) -> Any:
    """The tree with the keys of its dicts in order."""
    if isinstance(tree, dict):
        return {key: _sorted(tree[key]) for key in sorted(tree)}
    return type(tree)(map(_sorted, tree)) if type(tree) in (list, tuple) else tree


def _as_in(value: Any, tree: Any) -> Any:
    """The tree, equal to `value` but for the order of keys, in the order of `value`."""
    if isinstance(value, dict):
        return {key: _as_in(one, tree[key]) for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_as_in, value, tree))
    return tree


def flatten_func(func: Callable[..., Any], example: Any) -> tuple[Any, Any, Any]:
    """(`func` on vectors instead of values like `example`, unflatten, the example's vector)."""
    vector, unflatten = flatten(example)

    def flat(x: Any, *args: Any, **kwargs: Any) -> Any:
        return flatten(func(unflatten(x), *args, **kwargs))[0]

    flat.__name__ = get_name(func)
    return flat, unflatten, vector
