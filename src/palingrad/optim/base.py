"""Optimizer: the base class, which adds gradients, state and assignments to a pure update rule."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ..autodiff.gradients import gradients
from ..dtypes import float64, is_complex, real_of
from ..engines.native.runtime.aligned_alloc import placed
from ..errors import ArgumentError, EngineError, GradientError
from ..graph.context import context, graph_scope
from ..graph.leaves import Constant, Variable
from ..graph.node import Node
from ..graph.registry import ops
from ..graph.state.landing import Landing, snapshot
from ..graph.state.observe import tell_assigned, watching
from ..graph.state.turns import Turn
from ..graph.traversal.order import postorder
from ..messages.attributes import OPTIMIZER_METHODS
from ..messages.calls import public, publish, user_level
from ..messages.checks import shown, within
from ..messages.names import with_names_from
from ..ops.reduction.axes import narrowed
from ..ops.state import Latest
from .cached import arrays_of, computed, tape_gradients, updated
from .checks import SURPLUS, check_rate, rate_of
from .clipping import clip_by_global_norm, clip_by_value
from .schedules import Schedule
from .shared import once, one_step

_NOTHING = "apply: no gradient was accumulated."
_ACCUMULATE = "Call accumulate(loss) first; for a graph call both while it is open."
_ATTEMPTS = 100  # to complete an eager step; more than one where others assign its Variables
_steps = Turn()  # of eager steps, so that threads that share Variables wait for each other

Changes = list[tuple[Variable, Any]]  # Variables and their new values
Variables = Variable | Iterable[Variable] | Mapping[str, Variable]


@with_names_from(OPTIMIZER_METHODS)
class Optimizer:
    """Minimises a loss by changing Variables. A subclass defines `slots` and `update`.

    learning_rate: a number, stored in a Variable that may be assigned during training, or a
    schedule. clip_norm: bound of the gradients' global norm. clip_value: bound of each element.
    A complex Variable is trained as an array of its real and imaginary parts.

    In an open graph `minimize`, `accumulate` and `apply` return a node to run; eagerly and inside
    `pg.function` they take effect at once. Only trainable Variables change.
    """

    slots: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        publish(cls, SURPLUS)

    @public
    def __init__(
        self,
        learning_rate: float | Schedule,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        name = type(self).__name__
        for what, bound in (("clip_norm", clip_norm), ("clip_value", clip_value)):
            if bound is not None:
                within(f"{name}: {what}", bound, "(0, inf)", like="1.0, or leave it out")
        check_rate(name, learning_rate)
        self.clip_norm, self.clip_value = clip_norm, clip_value
        self._state: dict[Variable, dict[str, Variable]] = {}
        self._sums: dict[Variable, Variable] = {}
        self.schedule = learning_rate if callable(learning_rate) else None
        with graph_scope(None):
            self.steps = Variable(0, trainable=False, name="steps")
            start = 0.0 if callable(learning_rate) else learning_rate
            self.learning_rate = Variable(
                start, dtype=float64, trainable=False, name="learning_rate"
            )
            self._weight = Variable(0.0, dtype=float64, trainable=False, name="weight")

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "learning_rate" and name in self.__dict__ and not isinstance(value, Variable):
            raise ArgumentError(
                f"{type(self).__name__}: learning_rate is a Variable, which = would replace by "
                f"{shown(value)}.",
                hint=f"Write optimizer.learning_rate.assign({shown(value)}).",
            )
        object.__setattr__(self, name, value)

    # ---------------------------------------------------------------- update rule

    def update(
        self, parameter: Node, gradient: Node, rate: Node, step: Node, **slots: Node
    ) -> tuple[Node, dict[str, Node]]:
        """(new parameter, new slots) after one step: a pure function from nodes to nodes.

        `rate` is the learning rate and `step` the number of this step, from 1, both of the
        parameter's dtype; each slot has the parameter's shape and dtype and is initially 0.
        """
        raise NotImplementedError(f"{type(self).__name__} needs update")

    # ---------------------------------------------------------------- public methods

    @public
    def minimize(self, loss: Node, variables: Variables | None = None) -> Node | None:
        """Take one step along the negative gradient of `loss` with respect to `variables`, by
        default the trainable Variables on which it depends."""
        arrays = None
        if getattr(self.gradients, "__func__", None) is Optimizer.gradients:
            arrays = tape_gradients(loss, lambda found: _selected(found, loss, variables))
        if arrays is not None:
            if updated(self, arrays, self._read_with(arrays)):
                return None
            arrays = computed(arrays)
        if arrays is None:
            return self.apply(self.gradients(loss, variables))
        return self.apply({v: Constant.holding(array) for v, array in arrays.items()})

    def gradients(self, loss: Node, variables: Variables | None = None) -> dict[Variable, Node]:
        """∂loss/∂variable for each Variable that `minimize` would change."""
        targets = _targets(loss, variables)
        return dict(zip(targets, gradients(loss, targets), strict=True))

    def accumulate(
        self, loss: Node, variables: Variables | None = None, *, weight: float | Node = 1.0
    ) -> Node | None:
        """Add the loss's gradient to a weighted mean, along which `apply` takes a step.

        `weight` is the weight of this loss. With the number of examples in each mini-batch, the
        mean is exactly the gradient of the mean loss over all their examples.
        """
        terms = {v: gradient * weight for v, gradient in self.gradients(loss, variables).items()}

        def changes() -> Changes:
            totals = {self._sum_of(variable): term for variable, term in terms.items()}
            sums = [(total, total + term) for total, term in totals.items()]
            return [(self._weight, self._weight + weight), *sums]

        return _assigned(changes, [self._weight, *map(self._sum_of, terms)])

    def apply(self, gradients: Mapping[Variable, Node] | None = None) -> Node | None:
        """Take one step along these gradients, or along the accumulated mean, which is reset."""
        if gradients is None and not self._sums:
            raise GradientError(_NOTHING, hint=_ACCUMULATE)
        targets = _trainable(self._sums if gradients is None else gradients, "apply")
        read = self._read_with(targets)
        if gradients is not None:
            chosen = {variable: gradients[variable] for variable in targets}
            arrays = arrays_of(chosen)
            if arrays is not None and updated(self, arrays, read):
                return None
            clipped = self._clipped(chosen)
            return _assigned(lambda: self._step(clipped), read)
        return _assigned(self._mean_step, [*read, self._weight, *self._sums.values()])

    def variables(self, parameters: Mapping[str, Variable] | None = None) -> dict[str, Variable]:
        """The optimizer's state by name, for checkpoints: steps, learning rate, then slots.

        With `parameters`, such as model.parameters(), these are the slots of all of them, named
        after them: 'layers.0.weight.velocity'. Without, slots are numbered in the order in which
        Variables were first updated.
        """
        state = {"steps": self.steps, "learning_rate": self.learning_rate}
        named = dict(enumerate(self._state)) if parameters is None else parameters
        for first, owner in named.items():
            slots = self._slots_of(owner).items()
            state |= {f"{first}.{name}": variable for name, variable in slots}
        return state

    def prepare(self, variables: Iterable[Variable]) -> None:
        """Create the slots of these Variables now, so that a checkpoint can be restored to them."""
        for variable in variables:
            self._slots_of(variable)

    # ---------------------------------------------------------------- machinery

    def _mean_step(self) -> Changes:
        """A step along the accumulated mean, and zeros for its sums."""
        if context().graph is None and not self._weight.item():
            raise GradientError(_NOTHING, hint=_ACCUMULATE)
        weight = ops.where(self._weight == 0, 1, self._weight)  # an empty mean is 0
        means = {v: total / _as(weight, v) for v, total in self._sums.items()}
        sums = [(total, ops.zeros_like(total)) for total in (*self._sums.values(), self._weight)]
        return [*sums, *self._step(self._clipped(means))]

    def _step(self, gradients: Mapping[Variable, Node]) -> Changes:
        with one_step():
            return self._changes(gradients)

    def _changes(self, gradients: Mapping[Variable, Node]) -> Changes:
        step = self.steps + 1
        rate: Any = self.learning_rate
        if self.schedule is not None:
            rate = rate_of(self.schedule, self.schedule(ops.cast(self.steps, float64)))
        new: Changes = [(self.steps, step)]
        for variable, gradient in gradients.items():
            slots = self._slots_of(variable)
            now: tuple[Node, Node, dict[str, Any]] = (variable, gradient, slots)
            if is_complex(variable.dtype):  # the gradient is ∂L/∂a − i·∂L/∂b
                parts = {name: _parts(slot) for name, slot in slots.items()}
                now = _parts(variable), _parts(ops.conj(gradient)), parts
            parameter, changed = self.update(
                *now[:2], _as(rate, variable), _as(step, variable), **now[2]
            )
            if is_complex(variable.dtype):
                parameter = _joined(parameter)
                changed = {name: _joined(value) for name, value in changed.items()}
            new.append((variable, parameter))
            new += [(slots[name], value) for name, value in changed.items()]
        return new

    def _clipped(self, gradients: Mapping[Variable, Node]) -> dict[Variable, Node]:
        values: Sequence[Node] = list(gradients.values())
        if self.clip_value is not None:
            values = clip_by_value(values, self.clip_value)
        if self.clip_norm is not None:
            values = clip_by_global_norm(values, self.clip_norm)
        return dict(zip(gradients, values, strict=True))

    def _read_with(self, targets: Iterable[Variable]) -> list[Variable]:
        """The Variables that a step for these targets reads."""
        read = [self.steps, self.learning_rate, *targets]
        for variable in targets:
            read += self._slots_of(variable).values()
        return read

    def _slots_of(self, variable: Variable) -> dict[str, Variable]:
        if variable not in self._state:
            # A program leases the Variables of a step in this order, after `steps`.
            first = 2 + len(self._state) * (1 + len(self.slots))
            self._state[variable] = {
                name: _zeros_for(variable, f"{variable.name}/{name}", number)
                for number, name in enumerate(self.slots, first)
            }
        return self._state[variable]

    def _sum_of(self, variable: Variable) -> Variable:
        if variable not in self._sums:
            self._sums[variable] = _zeros_for(variable, f"{variable.name}/sum")
        return self._sums[variable]


def positive_in(epsilon: float, parameter: Node) -> float:
    """max(epsilon, the smallest normal number of the parameter's dtype): 1e-8 is 0 in float16."""
    assert parameter.dtype is not None
    return max(epsilon, float(np.finfo(parameter.dtype).tiny))


def _zeros_for(variable: Variable, name: str, number: int = 0) -> Variable:
    """A Variable of zeros, in no graph: state belongs to the optimizer. `number`: see `placed`."""
    form = variable._form()
    array = placed(form.shape, form.dtype, number, zeros=True)
    return Variable.holding(array, name, variable)


def _as(number: Node, variable: Variable) -> Node:
    """A scalar in the dtype of the Variable with which it is combined, or of its parts."""
    return once(narrowed, number, real_of(variable._form().dtype))


def _parts(z: Node) -> Node:
    """The real and the imaginary parts of z on a new last axis."""
    return ops.stack([ops.real(z), ops.imag(z)], axis=-1)


def _joined(parts: Node) -> Node:
    """The complex numbers whose parts are on the last axis."""
    return ops.complex(parts[..., 0], parts[..., 1])


def _assigned(changes: Callable[[], Changes], read: Sequence[Variable]) -> Node | None:
    """All assignments as one node to run; eagerly they are made at once, and None is returned.

    `changes` computes them from the Variables in `read`. If another thread or a signal handler
    assigns one of these meanwhile, they are computed again, so that no update is lost.
    """
    if context().graph is not None:
        return _deferred(changes())
    for _ in range(_ATTEMPTS):
        for variable in read:
            if variable._turn is not None:
                variable._turn.wait()  # runs in progress would otherwise have to run again
        landed, node = _steps.hold(_attempt, changes, read)
        if landed:
            return node
    raise EngineError(
        f"apply: Variables of the step were assigned during each of {_ATTEMPTS} attempts.",
        hint="Take the step in a pg.function, or don't assign them in a loop of another thread.",
    )


def _deferred(new: Changes) -> Node:
    """All assignments as one node to run."""
    return ops.group(*(ops.assign(variable, value) for variable, value in new))


def _attempt(changes: Callable[[], Changes], read: Sequence[Variable]) -> tuple[bool, Node | None]:
    """(whether the changes were made, the node that makes them if they are deferred)."""
    _, before = snapshot(read)
    new = changes()
    if any(isinstance(value, Node) and value.deferred for _, value in new):
        return True, _deferred(new)
    arrays = [variable.assignable(value) for variable, value in new]
    if watching:  # before: an observer may refuse the values
        tell_assigned((v, array, value) for (v, value), array in zip(new, arrays, strict=True))
    return Landing([variable for variable, _ in new], read)(arrays, before), None


# ---------------------------------------------------------------- choice of Variables


def _targets(loss: Any, variables: Variables | None) -> list[Variable]:
    """The trainable Variables among `variables`, by default among those the loss depends on."""
    if not isinstance(loss, Node):
        raise GradientError(
            f"minimize: expected a node as the loss, got {shown(loss)}.",
            hint="Pass the node itself, such as w * w: not a float made of it, nor a function.",
        )
    if isinstance(variables, Node):
        return _trainable([variables], "minimize")
    given: Any = variables
    if variables is not None:
        if not isinstance(given, Iterable):
            raise GradientError(
                f"minimize: expected Variables, got {shown(variables)}.",
                hint="Those of a model are model.parameters().",
            )
        candidates = variables.values() if isinstance(variables, Mapping) else variables
        return _trainable(candidates, "minimize")
    order: list[Any] = postorder(loss, inputs=lambda x: () if _is_read(x) else x.inputs)
    read: list[Any] = [node.attributes["variable"] if _is_read(node) else node for node in order]
    return _selected([node for node in read if isinstance(node, Variable)], loss)


def _selected(
    found: list[Variable], loss: Node, variables: Variables | None = None
) -> list[Variable]:
    """The trainable Variables among `variables`, by default among those found under the loss."""
    if variables is not None:
        return _targets(loss, variables)
    targets = [node for node in found if node.trainable]
    _warn_of_integers(found)
    if not targets:
        raise GradientError(
            f"minimize: {loss.label()} depends on no trainable Variable{loss.built()}.",
            hint="What training changes is a pg.Variable(3.0), not a pg.tensor.",
        )
    return targets


def _trainable(candidates: Iterable[Any], call: str) -> list[Variable]:
    """The trainable ones among the given Variables. Raises GradientError if there are none."""
    variables = list(candidates)
    for variable in variables:
        if not isinstance(variable, Variable):
            raise GradientError(
                f"{call}: expected Variables, got {shown(variable)}.",
                hint="Pass the Variables themselves, such as [w], not their values.",
            )
    targets = [variable for variable in variables if variable.trainable]
    _warn_of_integers(variables)
    if not targets:
        names = ", ".join(variable.label() for variable in variables[:4])
        raise GradientError(
            f"{call}: none of the {len(variables)} Variables given is trainable: {names}.",
            hint="Make them with trainable=True, and of floats.",
        )
    return targets


def _warn_of_integers(variables: Iterable[Variable]) -> None:
    """Warn, once for each, of integer Variables that weren't said not to be trained."""
    for variable in variables:
        if variable.unsuited:
            variable.unsuited = False
            name = variable._name or "w"
            warnings.warn(
                f"{variable.label()} is {variable.dtype}{variable.built()} and isn't trained: only "
                f"floats are. Write {name} = pg.Variable({float(variable.numpy().flat[0])}), or "
                "trainable=False if it isn't to be trained.",
                RuntimeWarning,
                stacklevel=user_level(),
            )


def _read(variable: Variable) -> Node:
    """The node that represents a Variable: inside pg.function, once assigned, its new value."""
    graph = context().graph
    return variable if graph is None else graph.adopt((variable,))[0]


def _is_read(node: Any) -> bool:
    """Whether the node is the current new value of an assigned Variable."""
    return isinstance(node, Latest) and _read(node.attributes["variable"]) is node
