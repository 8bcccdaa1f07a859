"""The structural key of a region: equal only for regions that compute the same."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from itertools import count
from math import copysign
from typing import Any

import numpy as np

from ..leaves import Constant, Placeholder
from ..node import Node
from ..registry import name_of
from ..state.imports import imported

_PLAIN = (bool, int, str, bytes, type(None), type(Ellipsis), np.dtype)
_tokens: dict[int, tuple[weakref.ref[Any], int]] = {}
_numbers = count()


def structural_key(
    parameters: Sequence[Node], results: Sequence[Node], order: Sequence[Node]
) -> str:
    """A digest of the parameters' forms, the operations with their attributes and edges, the
    constants' bits, and the results."""
    places: dict[Node, int] = {node: place for place, node in enumerate(parameters)}
    lines = [f"{node.shape} {node.dtype} {type(node.weak)}" for node in parameters]
    for node in order:
        if node in places:
            continue
        places[node] = len(places)
        lines.append(_line(node, places))
    lines.append(str([places[node] for node in results]))
    return digest("\n".join(lines).encode(errors="backslashreplace"))


def digest(content: bytes) -> str:
    """The SHA-256 of the content. The module is imported at the first use: it loads OpenSSL."""
    return imported("hashlib").sha256(content).hexdigest()


def _line(node: Any, places: Mapping[Node, int]) -> str:
    if isinstance(node, Constant):
        value = node.numpy()
        bits = digest(value.tobytes())
        return f"constant {value.shape} {value.dtype} {type(node.weak)} {bits}"
    if (not node.inputs and isinstance(node, Placeholder)) or not hasattr(node, "attributes"):
        return f"leaf {_token(node)}"
    kind = name_of(type(node)) if node._shipped else _token(type(node))
    inputs = [places[x] for x in node.inputs]
    return f"{kind} {inputs} {attribute_key(node.attributes)}"


def attribute_key(value: Any) -> str:
    """A text that is equal only for equal attributes; 1, 1.0 and True differ, and so do 0.0 and
    -0.0. An object that isn't compared by value has a number of its own."""
    if isinstance(value, Mapping):
        entries: Mapping[Any, Any] = value
        return f"{{{', '.join(f'{key!r}: {attribute_key(x)}' for key, x in entries.items())}}}"
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__}({', '.join(map(attribute_key, value))})"
    if isinstance(value, slice):
        return f"slice({attribute_key((value.start, value.stop, value.step))})"
    if isinstance(value, (float, np.floating)):
        return f"{type(value).__name__} {value!r} {copysign(1, value)}"
    if isinstance(value, (complex, np.complexfloating, np.integer, np.bool_)):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return f"array {value.shape} {value.dtype} {digest(value.tobytes())}"
    if type(value) in _PLAIN or isinstance(value, np.dtype):
        return f"{type(value).__name__} {value!r}"
    key = getattr(value, "structural_key", None)
    return key if isinstance(key, str) else _token(value)


def _token(value: Any) -> str:
    """A text for this object that no other object ever has."""
    found = _tokens.get(id(value))
    if found is not None and found[0]() is value:
        return f"object {found[1]}"
    number, place = next(_numbers), id(value)
    try:
        reference = weakref.ref(value, lambda _: _tokens.pop(place, None))
    except TypeError:
        return f"object {number}"  # another one at each call: it equals nothing
    _tokens[place] = reference, number
    return f"object {number}"
