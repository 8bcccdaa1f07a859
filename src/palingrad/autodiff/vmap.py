"""vmap: a function of one example as a function of many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, Literal

from ..errors import ArgumentError, ShapeError
from ..graph.batching.batch import moved
from ..graph.context import graph_scope
from ..graph.leaves import Placeholder
from ..graph.node import Node, next_serial
from ..graph.promotion import as_node, tensor
from ..messages.calls import called, public
from ..messages.checks import counted, one_of
from ..shapes import axis_in, known, sizes, text
from ..trees import fields, is_dataclass, leaves, rebuilt
from .batching import Examples, OneExample, Rebuilt
from .calls import as_arrays, check_function

Function = Callable[..., Any]
Randomness = Literal["error", "different", "same"]


@public
def vmap(
    f: Function,
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_size: int | None = None,
    *,
    randomness: Randomness = "error",
) -> Function:
    """The function that computes f for each index of an axis of the arguments, all at once.

    in_axes: the axis of the examples in each argument, or None for an argument that is the same for
    all of them; an integer for all arguments, or a tuple with an entry for each, which is an axis
    or a tree of axes for the leaves of that argument. out_axes: likewise, where the axis of the
    examples is in the results; None for a result that is the same for all. axis_size: the number of
    examples, which is needed if no argument has an axis of them. Keyword arguments have it first.
    randomness: whether the examples draw "different" or the "same" random numbers.

    f is called once, with nodes that stand for one example. It may be differentiated and nested:
    `vmap(grad(f))` gives a gradient for each example.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> pg.vmap(pg.grad(lambda x, w: pg.sum(w * x**2)), in_axes=(0, None))(np.eye(2), np.ones(2))
    array([[2., 0.],
           [0., 2.]])
    """
    check_function("vmap", f)
    one_of("vmap: randomness", randomness, ("error", "different", "same"))

    @wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        began = next_serial()
        given = leaves([args, kwargs], dataclasses=True)
        axes = _axes_of_arguments(in_axes, args) + _prefixed(0, kwargs, "in_axes")
        nodes = [leaf if axis is None else _as_node(leaf) for leaf, axis in zip(given, axes)]
        size = _size(nodes, axes, axis_size)
        fronts = [
            x if axis is None else moved(x, axis_in(axis, x.ndim), 0)
            for x, axis in zip(nodes, axes, strict=True)
        ]
        result, outputs, one, since = _traced(f, args, kwargs, fronts, axes)
        mapping = {
            inner: Rebuilt(x, mapped=True)
            for inner, x, axis in zip(one, fronts, axes, strict=True)
            if axis is not None
        }
        examples = Examples(size, mapping, since, randomness)
        places = _prefixed(out_axes, result, "out_axes")
        tree = rebuilt(result, _collected(examples, outputs, places), dataclasses=True)
        return as_arrays(tree, began, any(isinstance(leaf, Node) for leaf in given))

    return function


def _traced(
    f: Function, args: Any, kwargs: Any, fronts: Sequence[Any], axes: Sequence[int | None]
) -> tuple[Any, list[Any], list[Any], int]:
    """f's result for one example, its leaves, numbers among them as nodes, the leaves of its
    arguments, and the serial number after which nodes of the example were made."""
    with graph_scope(OneExample(), hidden=True):
        one = [
            x if axis is None else Placeholder(sizes(x.shape)[1:], dtype=x.dtype)
            for x, axis in zip(fronts, axes, strict=True)
        ]
        since = next_serial()
        own = rebuilt([args, kwargs], iter(one), dataclasses=True)
        result = called(f, *own[0], **own[1])
        outputs = leaves(result, dataclasses=True)
        return result, [as_node(y) if _is_numeric(y) else y for y in outputs], one, since


def _collected(
    examples: Examples, outputs: Sequence[Any], places: Sequence[int | None]
) -> Iterator[Any]:
    """The results for all examples, with their axis where `places` say."""
    nodes = [y for y in outputs if isinstance(y, Node)]
    found = iter(examples.of(nodes))
    results: list[Any] = []
    for y, place in zip(outputs, places, strict=True):
        if not isinstance(y, Node):
            results.append(y)
            continue
        one = next(found)
        if place is None:
            if one.mapped:
                raise ArgumentError(
                    f"vmap: out_axes is None for {y.label()}{y.built()}, which differs between "
                    "examples.",
                    hint="Give it an axis, such as out_axes=0, or return its mean.",
                )
            results.append(one.node)
            continue
        x = examples.front(one)
        results.append(moved(x, 0, axis_in(place, x.ndim)))
    return iter(results)


def _as_node(leaf: Any) -> Any:
    if leaf is None or isinstance(leaf, Node):
        return leaf
    if not _is_numeric(leaf):
        raise ArgumentError(
            f"vmap: an argument holds {type(leaf).__name__} {leaf!r:.40}, not an array.",
            hint="Give in_axes=None for what is the same for all examples: in_axes=(0, None).",
        )
    return tensor(leaf)


def _is_numeric(leaf: Any) -> bool:
    return isinstance(leaf, (bool, int, float, complex)) or hasattr(leaf, "__array__")


def _axes_of_arguments(in_axes: Any, args: tuple[Any, ...]) -> list[int | None]:
    """The axis of the examples in each leaf of the arguments."""
    if isinstance(in_axes, int) or in_axes is None:
        return _prefixed(in_axes, list(args), "in_axes")
    if not isinstance(in_axes, (tuple, list)):
        raise ArgumentError(
            f"vmap: in_axes is {in_axes!r:.60}; expected an axis, None, or a tuple with one entry "
            "for each argument.",
            hint="For one argument write in_axes=(…,).",
        )
    if len(in_axes) != len(args):
        raise ArgumentError(
            f"vmap: in_axes has a tuple of {len(in_axes)} for {counted(len(args), 'argument')}.",
            hint="Give one for each, None for an argument that is the same for all examples.",
        )
    return [axis for of, arg in zip(in_axes, args, strict=True)
            for axis in _prefixed(of, arg, "in_axes")]  # fmt: skip


def _prefixed(prefix: Any, tree: Any, what: str) -> list[int | None]:
    """The axis of each leaf of a tree, from a tree of axes; an axis in place of a branch is that of
    all its leaves. A leaf that is None has none."""
    if prefix is None or (isinstance(prefix, int) and not isinstance(prefix, bool)):
        return [None if leaf is None else prefix for leaf in leaves(tree, dataclasses=True)]
    if isinstance(prefix, dict) and isinstance(tree, dict) and prefix.keys() == tree.keys():
        pairs = [(prefix[key], one) for key, one in tree.items()]
    elif (
        isinstance(prefix, (tuple, list))
        and isinstance(tree, (tuple, list))
        and len(prefix) == len(tree)
    ):
        pairs = list(zip(prefix, tree, strict=True))
    elif is_dataclass(tree) and type(prefix) is type(tree):
        pairs = [(getattr(prefix, name), one) for name, one in fields(tree).items()]
    else:
        raise ArgumentError(
            f"vmap: {what} {prefix!r:.60} doesn't fit {_described(tree)}.",
            hint=f"An entry of {what} is an axis, None, or has the structure of what it is for.",
        )
    return [axis for of, one in pairs for axis in _prefixed(of, one, what)]


def _described(tree: Any) -> str:
    if isinstance(tree, (tuple, list)):
        return f"a {type(tree).__name__} of {len(tree)}"
    if isinstance(tree, dict):
        return f"a dict with {', '.join(map(repr, tree))}"
    return "a result or argument that is one array"


def _size(nodes: Sequence[Any], axes: Sequence[int | None], axis_size: int | None) -> int:
    """The number of examples. Raises ShapeError if the arguments have different ones."""
    found: dict[int, str] = {} if axis_size is None else {axis_size: f"axis_size={axis_size}"}
    for number, (x, axis) in enumerate(zip(nodes, axes, strict=True)):
        if axis is None:
            continue
        if x.shape is None or not known(x.shape):
            raise ShapeError("vmap: all shapes must be known", hint="Give the placeholders shapes.")
        what = f"array {number} of the arguments, of shape {text(x.shape)}"
        if not -x.ndim <= axis < x.ndim:
            raise ShapeError(
                f"vmap: {what}, has no axis {axis} of examples.",
                hint="Give in_axes=None for what is the same for all examples: in_axes=(0, None).",
            )
        found.setdefault(sizes(x.shape)[axis], f"{what}, has {x.shape[axis]} on axis {axis}")
    if len(found) > 1:
        one, other, *_ = found.values()
        raise ShapeError(
            f"vmap: the numbers of examples differ: {one}; {other}.",
            hint="in_axes says which axis of each argument numbers the examples.",
        )
    if not found:
        raise ArgumentError(
            "vmap: no argument has an axis of examples.",
            hint="Write axis_size=n, or an axis in in_axes.",
        )
    return next(iter(found))
