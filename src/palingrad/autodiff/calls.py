"""One call of a transform: its arguments as nodes of their own, and its results as arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..dtypes import is_complex, is_inexact
from ..errors import GradientError
from ..graph.derivatives.differentiated import dependencies, differentiated
from ..graph.leaves import Constant
from ..graph.node import Node, next_serial
from ..graph.promotion import as_node, tensor
from ..graph.registry import ops
from ..messages.calls import called
from ..messages.checks import counted
from ..trees import leaves, mapped
from .listed import as_argument

Function = Callable[..., Any]
Argnums = int | Sequence[int]


def numeric(tree: Any) -> list[Any]:
    """The leaves of a tree that aren't None."""
    return [leaf for leaf in leaves(tree, dataclasses=True) if leaf is not None]


def refilled(tree: Any, new: Iterable[Any]) -> Any:
    """The tree with other leaves in place of those that aren't None."""
    numbers = iter(new)
    return mapped(lambda x: None if x is None else next(numbers), tree, dataclasses=True)


def nodes_of(tree: Any) -> list[Node]:
    """The leaves of a function's result as nodes."""
    return [as_node(leaf) for leaf in numeric(tree)]


def check_function(transform: str, f: Any) -> None:
    """Raise GradientError unless f can be called."""
    if not callable(f):
        what = f.label() if isinstance(f, Node) else f"{type(f).__name__} {f!r:.40}"
        raise GradientError(
            f"{transform}: expected a function, got {what}.",
            hint="Of a node y, take pg.gradients(y, x), or y.backward().",
        )


def without_aux(transform: str, y: Any, has_aux: bool) -> tuple[Any, Any]:
    """(result, auxiliary) from what f returned; (y, None) unless it returns auxiliary results."""
    if not has_aux:
        return y, None
    if not isinstance(y, (tuple, list)) or len(y) != 2:
        raise GradientError(
            f"{transform}: with has_aux, f returns a pair (result, auxiliary), got "
            f"{type(y).__name__}{f' of {len(y)}' if isinstance(y, (tuple, list)) else ''}.",
            hint="Write return loss, {'accuracy': accuracy}, for example.",
        )
    return y[0], y[1]


def check_holomorphic(y: Node, xs: Sequence[Node]) -> Node:
    """The initial cotangent of a holomorphic function, 1. Raises GradientError unless its argument
    and result are complex."""
    for what, node in (("f returned", y), *(("an argument is", x) for x in xs)):
        if node.dtype is not None and not is_complex(node.dtype):
            raise GradientError(
                f"holomorphic: {what} {node.dtype}, not a complex number.",
                hint="Leave holomorphic out, or make it complex: pg.cast(x, pg.complex64).",
            )
    return ops.ones_like(y)


def returned(y: Any) -> Node:
    """The value that f returned, as a node. Raises GradientError if it isn't made of nodes."""
    if isinstance(y, (list, tuple)):
        return as_node(y)
    if not isinstance(y, Node):
        if y is None:
            raise GradientError("f returned None, not a node.", hint="End it with return y.")
        if isinstance(y, dict):
            raise GradientError("f returned a dict, not a node.", hint="Return one of its values.")
        raise GradientError(
            f"f returned {type(y).__name__} {y!r:.40}, not a node: the results of float(), math "
            "and NumPy functions have no derivative.",
            hint="Use palingrad's functions, such as pg.sin instead of math.sin.",
        )
    return y


class Call:
    """The arguments of one call; those to differentiate are replaced by fresh nodes."""

    def __init__(self, args: tuple[Any, ...], argnums: Argnums) -> None:
        self.single = isinstance(argnums, int)
        if argnums == 0 and len(args) == 1 and type(args[0]) is np.ndarray:  # the common case
            self.began, self.given_nodes = next_serial(), False
            self.trees = self.nodes = self.arguments = [_own_node(args[0])]
            return
        numbers = [argnums] if isinstance(argnums, int) else list(argnums)
        for number in numbers:
            if not -len(args) <= number < len(args):
                hint = "They count from 0: argnums=0 is the first."
                if not args:
                    hint = "f takes none: of a node y, take pg.gradients(y, x)."
                raise GradientError(
                    f"argnums {number} is out of range for {counted(len(args), 'argument')}.",
                    hint=hint,
                )
        numbers = [number % len(args) for number in numbers]
        self.began = next_serial()
        self.given_nodes = any(map(_holds_node, args))
        fresh = {number: _own_tree(args[number]) for number in numbers}
        self.trees = [fresh[number] for number in numbers]
        self.nodes: list[Node] = numeric(self.trees)
        self.arguments = [
            as_argument(arg, fresh[number]) if number in fresh else arg
            for number, arg in enumerate(args)
        ]

    def value(self, f: Function, kwargs: Mapping[str, Any] | None = None) -> Any:
        """The value that f returns for the arguments."""
        if self.given_nodes:
            self._name_arguments(f)
        with differentiated(self.nodes):
            try:
                return called(f, *self.arguments, **(kwargs or {}))
            except ValueError as error:
                if not isinstance(error.__cause__, GradientError):
                    raise
                cut = error.__cause__.with_traceback(error.__traceback__)
            except TypeError as error:
                if any(isinstance(tree, (list, tuple)) for tree in self.trees):
                    error.add_note(
                        "An argument of f is a list, whose numbers are differentiated one by one: "
                        "pass np.array([1.0, 2.0]) for one array."
                    )
                raise
        raise cut  # NumPy's a[i] = node puts a ValueError of its own in its place

    def _name_arguments(self, f: Function) -> None:
        """Record the parameters of f that fresh nodes are given to, for drawings."""
        code = getattr(inspect.unwrap(f), "__code__", None)  # of what a derivative is of
        parameters = () if code is None else code.co_varnames[: code.co_argcount]
        for parameter, argument in zip(parameters, self.arguments):
            if any(argument is node for node in self.nodes):
                argument._alias = parameter

    def shaped(self, results: Sequence[Any]) -> Any:
        """Results for `nodes`, in the structure of the arguments."""
        if self.single and self.nodes and self.trees[0] is self.nodes[0]:
            return results[0]
        new = iter(results)
        trees = [refilled(tree, new) for tree in self.trees]
        return trees[0] if self.single else tuple(trees)

    def result(self, tree: Any) -> Any:
        """The results, as arrays if they have values and depend on no outer node, else as nodes."""
        return as_arrays(tree, self.began, self.given_nodes)


def as_arrays(tree: Any, began: int, given_nodes: bool) -> Any:
    """The results of a transform whose call began at this serial number, as arrays; as nodes if it
    was given nodes, or if they depend on older nodes, or have no values."""
    if given_nodes:
        return tree

    def from_outside(node: Node) -> bool:
        """Whether an outer transform may differentiate with respect to it."""
        bare = isinstance(node, Constant) and node.scalar is not None
        return node._serial < began and not bare

    nodes = [leaf for leaf in leaves(tree, dataclasses=True) if _computed(leaf)]
    if any(map(from_outside, dependencies(nodes, began))):
        return tree
    return mapped(lambda x: x.numpy() if _computed(x) else x, tree, dataclasses=True)


_PLAIN = (np.ndarray, float, int)


def _holds_node(arg: Any) -> bool:
    if type(arg) in _PLAIN:
        return False
    return any(isinstance(leaf, Node) for leaf in leaves(arg, dataclasses=True))


def _own_tree(arg: Any) -> Any:
    """The argument with fresh nodes for its arrays."""
    if type(arg) in _PLAIN:
        return _own_node(arg)
    return refilled(arg, map(_own_node, numeric(arg)))


def _computed(leaf: Any) -> bool:
    return isinstance(leaf, Node) and not leaf.deferred


def _own_node(value: Any) -> Node:
    """A fresh node for this argument: other paths to the same node don't contribute."""
    node = value if isinstance(value, Node) else tensor(value)
    if node.dtype is not None and not is_inexact(node.dtype):
        raise GradientError(
            f"an argument is {node.dtype}: only floats have gradients.",
            hint="Make it a float, such as 2.0 or np.array([1.0, 2.0]).",
        )
    return ops.positive(node) if node is value else node
