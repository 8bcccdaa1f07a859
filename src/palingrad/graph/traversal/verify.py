"""The verifier: what each stage may hand to the next. Run after every pass in tests."""

from __future__ import annotations

from collections.abc import Sequence

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
