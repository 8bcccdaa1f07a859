"""The values of eager composites, by cached Programs of their expansions.

An eager composite, such as a softmax, would build and drop the nodes of its expansion in each call.
From the second call with the same attributes and forms of the inputs, a list of NumPy steps
computes the same operations without nodes. Nothing that changes bits is rewritten, and it never
becomes machine code, so that all calls return the same bits.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from ..dtypes import Array
from ..engines.base import owned, sealed
from ..engines.numpy import NumpyExecutable
from ..graph.context import graph_scope
from ..graph.kinds import AnonymousGraph, Composite
from ..graph.leaves import Constant, Placeholder, Variable
from ..graph.operation import MultipleOutputs, Operation
from ..graph.registry import register
from ..graph.state.observe import watching
from ..passes.common_subexpressions import common_subexpressions
from ..passes.expand import expand
from ..passes.fold_constants import fold
from ..passes.program import Program
from ..programs import ProgramCache
from ..signature import hashable, settings

_EXPANSIONS = 256  # the most recently used ones, whose steps are kept
_seen: dict[int, None] = {}  # hashes of composites that occurred once
_expansions: ProgramCache[Expansion] = ProgramCache(_EXPANSIONS)


class Expansion:
    """The steps of a composite's expansion; None if they can't be computed apart from its nodes."""

    def __init__(self, node: Composite) -> None:
        with graph_scope(AnonymousGraph(), hidden=True, observed=False):
            inputs: list[Any] = [x if _is_number(x) else _placeholder(x) for x in node.inputs]
            self._fed = [n for n, x in enumerate(inputs) if isinstance(x, Placeholder)]
            result = node.rebuild(inputs).expansion
            program = Program(tuple(inputs[n] for n in self._fed), (result,))
            for rewrite in (expand, fold, common_subexpressions):
                program = rewrite(program)
        self.run: NumpyExecutable | None = None
        self._may_alias = True
        if all(map(_is_computable, program.order)):
            self.run = NumpyExecutable(program)
            self._may_alias = self.run.may_return_feeds

    def value(self, values: Sequence[Array]) -> Array | None:
        """The composite's value for these values of its inputs; None if it can't be computed, or
        only with an error, which that of the nodes explains better. NumPy's warnings are the
        caller's to silence."""
        if self.run is None:
            return None
        feeds = [values[n] for n in self._fed]
        try:
            (value,) = self.run.values(feeds)
            return owned(value, feeds) if self._may_alias else sealed(value)
        except Exception:
            return None


def _is_number(x: Any) -> bool:
    return isinstance(x, Constant) and x.scalar is not None


def _placeholder(x: Any) -> Placeholder:
    return Placeholder.unchecked({"_shape": x.shape, "_dtype": x.dtype})


def _is_computable(node: Any) -> bool:
    """Whether the node is computed from values alone, without an error for any of them."""
    if isinstance(node, Operation):
        return node._shipped and not node.bounds() and not isinstance(node, MultipleOutputs)
    return not isinstance(node, Variable)


@register
def composite_value(y: Composite, values: Sequence[Array]) -> Array | None:
    """The value of an eager composite by the steps of its expansion; None if there are none."""
    if watching or not y._shipped:  # observers see the nodes; a user's may read anything
        return None
    parts: list[Hashable] = [type(y), settings()]
    if y.attributes:
        attributes = hashable(y.attributes)
        if attributes is None:
            return None
        parts.append(attributes)
    for x, value in zip(y.inputs, values, strict=True):
        if isinstance(x, Constant) and (scalar := x.scalar) is not None:
            parts += type(scalar), repr(scalar), value.dtype
        else:
            parts += value.shape, value.dtype
    key = tuple(parts)
    expansion = _expansions.get(key)
    if expansion is None:
        digest = hash(key)
        if digest not in _seen:
            if len(_seen) > 4 * _EXPANSIONS:
                _seen.clear()
            _seen[digest] = None
            return None
        expansion = _expansions.make(key, lambda: Expansion(y))
    return expansion.value(values)
