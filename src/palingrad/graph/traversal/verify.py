"""The verifier: asserts the invariants of a graph. Tests run it after every pass."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from ...errors import DTypeError, ShapeError
from ..describe.faults import defined
from ..node import Node
from ..operation import MultipleOutputs, Operation, is_known
from .order import postorder


def verify(
    roots: Sequence[Node],
    *,
    forbidden: tuple[type[Node], ...] = (),
    inside: tuple[type[Node], ...] | None = None,
    verified: Collection[Node] = (),
    order: Sequence[Node] = (),
) -> set[Node]:
    """Assert that all nodes under `roots` are concrete, allowed and consistent with their rules.

    `inside` are the types forbidden in regions, by default the same as outside. Returns those
    nodes. Of a node in `verified`, returned earlier, only the order and the type are checked again.
    `order` is their postorder, where it is known.
    """
    inside = forbidden if inside is None else inside
    seen: set[Node] = set()
    for node in order or postorder(*roots):
        assert seen.issuperset(node.inputs), f"{node!r} comes before an input"
        seen.add(node)
        assert not isinstance(node, forbidden), f"{node!r} should be gone by now"
        if node in verified:
            continue
        assert is_known(node), f"{node!r} isn't concrete"
        for x in node.inputs:
            assert x._serial < node._serial, f"{node!r} is older than its inputs {x!r}"
        if isinstance(node, Operation) and node.deferred and not isinstance(node, MultipleOutputs):
            assert _as_its_rule_says(node), f"{node!r} broke its rule"
        if _traits(type(node))[1]:
            for inner in type(node).checked_regions(node):  # pyright: ignore
                verify(inner, forbidden=inside)
    return seen


_FOUND: WeakKeyDictionary[type[Node], tuple[bool, bool]] = WeakKeyDictionary()


def _traits(kind: type[Node]) -> tuple[bool, bool]:
    """Whether a class is a composite, and whether it has regions. A class explains what it lacks,
    which takes long, and is asked once."""
    found = _FOUND.get(kind)
    if found is None:
        found = _FOUND[kind] = hasattr(kind, "expand"), hasattr(kind, "checked_regions")
    return found


def _as_its_rule_says(node: Operation) -> bool:
    """Whether a node without a value has the shape and dtype that its rules give."""
    if _traits(type(node))[0]:  # a composite, whose clone expands anew
        again = node.clone(node.inputs)
        again._infer()
        return (again.shape, again.dtype) == (node.shape, node.dtype)
    told = node._shape, node._dtype
    try:  # no clone, which takes longer than the rules
        node._infer()
        return (node._shape, node._dtype) == told
    finally:
        node._shape, node._dtype = told


def checked_result(node: Operation, value: Any) -> Any:
    """`value`, computed by a user-defined operation, if it has the inferred dtype and shape.

    Engines allocate memory by these. Raises DTypeError or ShapeError if the value contradicts them.
    """
    if node._dtype is None or node._shape is None:
        node._infer()
    many = isinstance(value, tuple)
    dtype = tuple(output.dtype for output in value) if many else value.dtype
    shape = tuple(output.shape for output in value) if many else value.shape
    rule = "compute" if type(node).f is Operation.f else "f"
    if dtype != node._dtype:
        place = defined(type(node).dtype_rule) if not node._shipped else ""
        fact = f"{rule} returned {dtype}, dtype_rule says {node._dtype}{place}"
        hint = f"Let dtype_rule return np.dtype({str(dtype)!r})."
        error = DTypeError(f"{node.label()}: {fact}{node.built()}.", hint=hint)
    elif shape != node._shape:
        place = defined(type(node).shape_rule) if not node._shipped else ""
        fact = f"{rule} returned {shape}, shape_rule says {node._shape}{place}"
        hint = "shape_rule(self, *shapes) returns the shape for any shapes of the inputs."
        error = ShapeError(f"{node.label()}: {fact}{node.built()}.", hint=hint)
    else:
        return value
    error.explained = True  # names the operation already
    raise error
