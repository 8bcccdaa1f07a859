"""Trees: nested lists, tuples and dicts, flattened to leaves and rebuilt from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """The leaves of a tree, from left to right; those of a dict in insertion order."""
    if isinstance(tree, dict):
        return [leaf for branch in tree.values() for leaf in leaves(branch)]
    if isinstance(tree, (list, tuple)):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [tree]


def rebuilt(tree: Any, new: Iterator[Any]) -> Any:
    """A tree of the same structure whose leaves are taken from `new`."""
    if isinstance(tree, dict):
        return {key: rebuilt(branch, new) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        branches = [rebuilt(branch, new) for branch in tree]
        if isinstance(tree, list):
            return branches
        return type(tree)(*branches) if hasattr(tree, "_fields") else tuple(branches)
    return next(new)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with `function` applied to each leaf."""
    return rebuilt(tree, map(function, leaves(tree)))
