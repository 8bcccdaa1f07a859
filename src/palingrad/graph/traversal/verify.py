"""The verifier: what each stage may hand to the next. Run after every pass in tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import DTypeError, ShapeError
from ..node import Node
from ..operation import MultipleOutputs, Operation, is_known
from .order import postorder


def verify(roots: Sequence[Node], *, forbidden: tuple[type[Node], ...] = ()) -> None:
    """Assert that every node under `roots` is concrete, allowed, and as its rules say."""
    seen: set[Node] = set()
    for node in postorder(*roots):
        assert all(x in seen for x in node.inputs), f"{node!r} comes before an input"
        seen.add(node)
        assert not isinstance(node, forbidden), f"{node!r} should be gone by now"
        assert is_known(node), f"{node!r} isn't concrete"
        younger = [x for x in node.inputs if x._serial >= node._serial]
        assert not younger, f"{node!r} is older than its inputs {younger}"
        if isinstance(node, Operation) and node.deferred and not isinstance(node, MultipleOutputs):
            again = node.clone(node.inputs)
            again._infer()
            assert (again.shape, again.dtype) == (node.shape, node.dtype), (
                f"{node!r} broke its rule"
            )


def held(node: Operation, value: Any) -> Any:
    """The value that a user's operation gave, if it is what the rules say: engines lay out memory
    by these. Raises DTypeError and ShapeError."""
    if node._dtype is None or node._shape is None:
        node._infer()
    many = isinstance(value, tuple)
    dtype = tuple(one.dtype for one in value) if many else value.dtype
    shape = tuple(one.shape for one in value) if many else value.shape
    rule = "compute" if type(node).f is Operation.f else "f"
    if dtype != node._dtype:
        words = f"{rule} gave {dtype}, dtype_rule says {node._dtype}"
        raise DTypeError(f"{node.label()}: {words}{node.built()}")
    if shape != node._shape:
        words = f"{rule} gave {shape}, shape_rule says {node._shape}"
        raise ShapeError(f"{node.label()}: {words}{node.built()}")
    return value
