"""Trees: nested lists, tuples, dicts and dataclasses, flattened to leaves and rebuilt from them.

The branches of a dataclass are its fields, except those with `metadata={"static": True}`. A
dataclass that holds no array is a leaf, such as settings of a model, unless `dataclasses` is true.
"""

from __future__ import annotations

import copy
import dataclasses as records
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_LEAVES = frozenset((np.ndarray, float, int))


def leaves(tree: Any, *, dataclasses: bool = False) -> list[Any]:
    """The leaves of a tree, from left to right; those of a dict in insertion order."""
    if type(tree) in _LEAVES:
        return [tree]
    if isinstance(tree, dict):
        branches = tree.values()
    elif isinstance(tree, (list, tuple)):
        branches = tree
    elif is_dataclass(tree) and (dataclasses or _holds_array(tree)):
        branches = fields(tree).values()
    else:
        return [tree]
    return [leaf for branch in branches for leaf in leaves(branch, dataclasses=dataclasses)]


def rebuilt(tree: Any, new: Iterator[Any], *, dataclasses: bool = False) -> Any:
    """A tree of the same structure whose leaves are taken from `new`."""
    if isinstance(tree, dict):
        return {key: rebuilt(x, new, dataclasses=dataclasses) for key, x in tree.items()}
    if isinstance(tree, (list, tuple)):
        branches = [rebuilt(branch, new, dataclasses=dataclasses) for branch in tree]
        if isinstance(tree, list):
            return branches
        return type(tree)(*branches) if hasattr(tree, "_fields") else tuple(branches)
    if is_dataclass(tree) and (dataclasses or _holds_array(tree)):
        result = copy.copy(tree)
        for name, branch in fields(tree).items():
            value = rebuilt(branch, new, dataclasses=dataclasses)
            object.__setattr__(result, name, value)  # also if it is frozen
        return result
    return next(new)


def mapped(function: Callable[[Any], Any], tree: Any, *, dataclasses: bool = False) -> Any:
    """The tree with `function` applied to each leaf."""
    new = map(function, leaves(tree, dataclasses=dataclasses))
    return rebuilt(tree, new, dataclasses=dataclasses)


def is_dataclass(tree: Any) -> bool:
    """Whether it is an instance of a dataclass."""
    return hasattr(type(tree), "__dataclass_fields__")


def fields(tree: Any, *, static: bool = False) -> dict[str, Any]:
    """The fields of a dataclass that are branches, or with `static` those that aren't."""
    return {
        field.name: getattr(tree, field.name)
        for field in records.fields(tree)
        if bool(field.metadata.get("static")) is static
    }


def opens(tree: Any) -> bool:
    """Whether it is a dataclass that holds arrays, and so a branch."""
    return is_dataclass(tree) and _holds_array(tree)


def _holds_array(tree: Any) -> bool:
    return any(hasattr(leaf, "__array__") for leaf in leaves(list(fields(tree).values())))
