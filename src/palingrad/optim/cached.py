"""Eager steps by cached Programs: the reverse pass of the loss's tape, then the update.

The second step of an optimizer along gradients of the same Variables makes a Program of its update
rule, which later steps run. It reads the Variables and writes them all at once, as every Program
does; its feeds are the gradients. From the third step on, one Program computes these as well, if
the structure of the tape is known: see `eager/gradients.py`. Rules and schedules of the user's may
read anything, and are called anew in each step.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ..dtypes import Array, is_floating
from ..eager import gradients as taped
from ..eager.gradients import TapeGradients
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
_steps: ProgramCache[Step] = ProgramCache(_UPDATES)


def tape_gradients(
    loss: Any, choose: Callable[[list[Variable]], list[Variable]]
) -> Mapping[Variable, Array] | None:
    """The gradients of the Variables that `choose` selects among those of the loss's tape, without
    nodes; None where observers, transforms or an open graph must see these, or rules need them."""
    if not isinstance(loss, Operation) or watching or arguments or context().graph is not None:
        return None
    value = loss._value
    if value is None or not is_floating(value.dtype) or value.size != 1:
        return None
    return taped.tape_gradients(loss, choose)


def updated(
    optimizer: Optimizer, arrays: Mapping[Variable, Array], read: Sequence[Variable]
) -> bool:
    """Take a step along these gradients by the Program of the update, or by one of the reverse
    pass and the update; whether there is one. `read` are the Variables that the update reads."""
    rule = _rule_of(optimizer)
    if rule is None:
        return False
    engine = get_engine(None, observed=False, placed=False).name
    key = (id(optimizer), rule, settings(), engine, len(arrays), *read)
    update = _updates.get(key)
    if isinstance(arrays, TapeGradients) and update is not None:
        if _stepped(optimizer, arrays, key, engine):
            return True
    found = computed(arrays)
    if found is None:
        return False
    if update is None:
        if not _occurred(hash(key)):
            return False
        targets = list(found)
        update = _updates.make(key, lambda: _compiled(optimizer, targets, engine), (optimizer,))
    update.executable(list(found.values()))
    return True


def computed(arrays: Mapping[Variable, Array]) -> Mapping[Variable, Array] | None:
    """These gradients as arrays; None if only the general pass can compute them."""
    return arrays.arrays() if isinstance(arrays, TapeGradients) else arrays


def _occurred(digest: int) -> bool:
    """Whether what has this hash occurred before."""
    if digest in _seen:
        return True
    if len(_seen) > 4 * _UPDATES:
        _seen.clear()
    _seen[digest] = None
    return False


def _stepped(
    optimizer: Optimizer, gradients: TapeGradients, key: tuple[Any, ...], engine: str
) -> bool:
    """Take a step by the Program of the reverse pass and the update; whether that was possible."""
    key = (key, *gradients.key)
    step = _steps.get(key)
    if step is None:
        if not _occurred(hash(key)):
            return False
        step = _steps.make(key, lambda: Step(optimizer, gradients, engine), (optimizer,))
    if step.run is None:
        return False
    given = gradients.feeds(step.feeds)
    return given is not None and step.run.executable.under(*given) is not None


class Step:
    """The Program of a reverse pass and the update; `run` is None if there is no such Program."""

    def __init__(self, optimizer: Optimizer, gradients: TapeGradients, engine: str) -> None:
        found = gradients.reverse()
        self.feeds, self.run = found.feeds, None
        if len(found.gradients) == len(gradients):
            along = dict(zip(gradients, found.gradients, strict=True))
            self.run = _step_program(optimizer, along, found.fed, engine)


def _compiled(optimizer: Optimizer, targets: Sequence[Variable], engine: str) -> Compiled:
    """The Program of a step of the optimizer, which is fed the gradients of these Variables."""
    fed = {variable: _placeholder(variable) for variable in targets}
    return _step_program(optimizer, fed, tuple(fed.values()), engine)


def _step_program(
    optimizer: Optimizer,
    along: Mapping[Variable, Node],
    fed: tuple[Placeholder, ...],
    engine: str,
) -> Compiled:
    """The Program of a step of the optimizer along these gradients."""
    with graph_scope(AnonymousGraph(), hidden=True, observed=False):
        changes = optimizer._step(optimizer._clipped(along))
        new = tuple(
            (variable, AssignVariable(value, variable=variable).inputs[0])
            for variable, value in changes
        )
    return Compiled((), Program(fed, (), new), engine)


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
