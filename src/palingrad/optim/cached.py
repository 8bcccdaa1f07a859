"""Eager steps by cached Programs: the reverse pass of the loss's tape, then the update.

The second step of an optimizer along gradients of the same Variables makes a Program of its update
rule, which later steps run. It reads the Variables and writes them all at once, as every Program
does; its feeds are the gradients. Rules and schedules of the user's may read anything, and are
called anew in each step.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ..dtypes import Array, is_floating
from ..eager.tapes import gradients
from ..engines.selection import get_engine
from ..graph.context import PACKAGE, context, graph_scope
from ..graph.derivatives.differentiated import arguments
from ..graph.kinds import AnonymousGraph
from ..graph.leaves import Placeholder, Variable
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.registry import is_shipped
from ..graph.state.observe import watching
from ..ops.state import AssignVariable
from ..passes.program import Program
from ..programs import Compiled, ProgramCache
from ..signature import hashable, settings

if TYPE_CHECKING:
    from .base import Optimizer

_UPDATES = 256  # the most recently used update rules, whose Programs are kept
_seen: dict[int, None] = {}  # hashes of updates that occurred once
_updates: ProgramCache[Compiled] = ProgramCache(_UPDATES)


def tape_gradients(
    loss: Any, choose: Callable[[list[Variable]], list[Variable]]
) -> dict[Variable, Array] | None:
    """The gradients of the Variables that `choose` selects among those of the loss's tape, without
    nodes; None where observers, transforms or an open graph must see these, or rules need them."""
    if not isinstance(loss, Operation) or watching or arguments or context().graph is not None:
        return None
    value = loss._value
    if value is None or not is_floating(value.dtype) or value.size != 1:
        return None
    return gradients(loss, choose)


def updated(
    optimizer: Optimizer, arrays: Mapping[Variable, Array], read: Sequence[Variable]
) -> bool:
    """Take a step along these gradients by the Program of the update; whether there is one. `read`
    are the Variables that the update reads."""
    rule = _rule_of(optimizer)
    if rule is None:
        return False
    engine = get_engine(None, observed=False).name
    key = (id(optimizer), rule, settings(), engine, len(arrays), *read)
    update = _updates.get(key)
    if update is None:
        digest = hash(key)
        if digest not in _seen:
            if len(_seen) > 4 * _UPDATES:
                _seen.clear()
            _seen[digest] = None
            return False
        targets = list(arrays)
        update = _updates.make(key, lambda: _compiled(optimizer, targets, engine), (optimizer,))
    update.executable(list(arrays.values()))
    return True


def _compiled(optimizer: Optimizer, targets: Sequence[Variable], engine: str) -> Compiled:
    """The Program of a step of the optimizer, which is fed the gradients of these Variables."""
    with graph_scope(AnonymousGraph(), hidden=True, observed=False):
        fed = {variable: _placeholder(variable) for variable in targets}
        changes = optimizer._step(optimizer._clipped(fed))
        new = tuple(
            (variable, AssignVariable(value, variable=variable).inputs[0])
            for variable, value in changes
        )
    return Compiled((), Program(tuple(fed.values()), (), new), engine)


def _placeholder(variable: Variable) -> Placeholder:
    return Placeholder.unchecked({"_shape": variable.shape, "_dtype": variable.dtype})


def arrays_of(gradients: Mapping[Variable, Node]) -> dict[Variable, Array] | None:
    """The values of these gradients; None if one hasn't its Variable's shape and dtype."""
    if watching or arguments or context().graph is not None:
        return None
    arrays: dict[Variable, Array] = {}
    for variable, gradient in gradients.items():
        value: Any = getattr(gradient, "_value", None)  # some are no nodes
        if value is None or gradient.weak is not None:
            return None
        if value.shape != variable.shape or value.dtype != variable.dtype:
            return None
        arrays[variable] = value
    return arrays


# ---------------------------------------------------------------- what an update depends on


def _rule_of(optimizer: Optimizer) -> Hashable | None:
    """What the update rule depends on besides Variables, by value; None if that isn't known."""
    kind = type(optimizer)
    if not is_shipped(kind):  # pyright: ignore[reportArgumentType]
        return None
    parts: list[Hashable] = [kind, kind.update, kind._step, kind._clipped]
    for name, value in vars(optimizer).items():
        if name[0] == "_" or value is None or isinstance(value, Variable):
            continue
        if type(value) is float and value:
            parts += name, value
            continue
        form = _form_of(value)
        if form is None:
            return None
        parts += name, form
    return tuple(parts)


def _form_of(value: Any) -> Hashable | None:
    """A hashable value that is equal only for equal numbers or schedules of the library's."""
    if not isinstance(value, FunctionType):
        return None if callable(value) else hashable(value)
    if not value.__code__.co_filename.startswith(PACKAGE):
        return None
    cells = [_form_of(cell.cell_contents) for cell in value.__closure__ or ()]
    return None if None in cells else (value.__code__, value.__defaults__, *cells)
