"""The table of ONNX operators: each a function that calls palingrad's operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from ...dtypes import Array
from ...errors import OnnxError
from ...graph.leaves import Placeholder, Variable
from ...graph.node import Node
from ...graph.registry import ops
from ...graph.traversal.order import postorder

# A value: a node, an array that is known when the graph is built, or None for an input left out.
Read: TypeAlias = Any
Rule = Callable[..., Any]
RULES: dict[str, Rule] = {}


def reads(*names: str) -> Callable[[Rule], Rule]:
    """Registers the function that reads these operators."""

    def registered(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, rule))
        return rule

    return registered


class NeedsValue(OnnxError):
    """A shape, axis or the like depends on an input of the model, whose value must be known."""

    def __init__(self, message: str, node: Node) -> None:
        super().__init__(message, hint="Pass the inputs as arrays, not nodes of a graph.")
        self.node = node

    @property
    def inputs(self) -> list[Placeholder]:
        """The placeholders that the value depends on."""
        return [x for x in postorder(self.node) if isinstance(x, Placeholder)]


@dataclass
class Call:
    """One node of an ONNX graph: what a rule is given besides the inputs."""

    op: str
    name: str
    opset: int
    attributes: Mapping[str, Any]
    outputs: Sequence[str]
    run: Callable[..., list[Any]]  # a subgraph, on values of its inputs
    types: Sequence[Any] = field(default_factory=list[Any])

    def attr(self, name: str, default: Any = None) -> Any:
        """An attribute, or the default."""
        return self.attributes.get(name, default)

    def known(self, x: Read, what: str) -> Array:
        """The array that a value is. Raises NeedsValue if it isn't known yet."""
        if isinstance(x, np.ndarray):
            return x
        if isinstance(x, Variable) or (isinstance(x, Node) and x._value is not None):
            return x.numpy()
        raise NeedsValue(f"{self.where}: {what} isn't known when the graph is built", x)

    def ints(self, x: Read, what: str) -> list[int]:
        """The integers that a value holds."""
        return [int(one) for one in self.known(x, what).reshape(-1)]

    def option(self, name: str, x: Read, before: int) -> list[int] | None:
        """Integers that are an attribute in opsets before `before`, else an input; or None."""
        if self.opset < before and name in self.attributes:
            return [int(one) for one in np.atleast_1d(self.attributes[name])]
        return None if x is None else self.ints(x, name)

    @property
    def where(self) -> str:
        """The node, for messages."""
        return f"{self.op} ({self.name})" if self.name else self.op

    def refuse(self, why: str) -> OnnxError:
        """The error that this node can't be read."""
        return OnnxError(f"ONNX's {self.where}: {why}.")


def in_dtype(y: Any, like: Any) -> Any:
    """y in the dtype of another value, or in a dtype."""
    dtype = np.dtype(like.dtype if isinstance(like, (Node, np.ndarray)) else like)
    return y if y.dtype == dtype else ops.cast(y, dtype)
