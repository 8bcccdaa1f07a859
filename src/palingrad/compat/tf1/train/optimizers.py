"""Optimizers by TensorFlow's names: palingrad's, or its base with TensorFlow's update rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .... import optim
from ....errors import GradientError
from ....graph.registry import ops
from ..framework.graph import Operation, Tensor, building, get_default_graph
from ..framework.variables import Variable, slot, trainable_variables
from . import rules
from .gradients import gradients


class Optimizer:
    """Changes Variables along gradients. `rule` is palingrad's optimizer."""

    GATE_NONE, GATE_OP, GATE_GRAPH = 0, 1, 2
    initial: ClassVar[dict[str, float]] = {}  # values of slots that don't begin at 0

    def __init__(self, rule: Any, name: str) -> None:
        self.rule, self.name = rule, name
        self._updated: list[Variable] = []  # in the order in which they were first updated
        self._slots: dict[str, dict[Variable, Variable]] = {}

    def get_name(self) -> str:
        """The name."""
        return self.name

    def compute_gradients(
        self, loss: Tensor, var_list: Any = None, gate_gradients: Any = None,
        aggregation_method: Any = None, colocate_gradients_with_ops: Any = None,
        grad_loss: Any = None,
    ) -> list[tuple[Tensor | None, Variable]]:  # fmt: skip
        """(∂loss/∂variable, variable) for each, by default for all trainable ones."""
        variables = trainable_variables() if var_list is None else list(var_list)
        return list(zip(gradients(loss, variables, grad_loss), variables, strict=True))

    def apply_gradients(
        self, grads_and_vars: Sequence[tuple[Any, Variable]], global_step: Any = None,
        name: str | None = None,
    ) -> Operation:  # fmt: skip
        """An operation whose run takes a step along these gradients, and counts it in
        `global_step`. Raises GradientError if there are none."""
        given = {variable: one for one, variable in grads_and_vars if one is not None}
        if not given:
            names = [variable.name for _, variable in grads_and_vars]
            raise GradientError(f"no gradient is given for any of the Variables {names}.")
        graph = get_default_graph()
        full = graph.unique_name(name or self.name)
        self._updated += [one for one in given if one not in self._updated]
        with building(graph, full):
            step = self.rule.apply({one.node: gradient.node for one, gradient in given.items()})
            if global_step is not None:
                step = ops.group(step, ops.assign(global_step.node, global_step.node + 1))
        self._register(graph)
        made = Operation(graph, full, "NoOp", step)
        graph.add_to_collection("train_op", made)
        return made

    def _register(self, graph: Any) -> None:
        """Makes the rule's Variables ones of the graph."""
        for key, made in self.rule.variables().items():
            number, dot, kind = key.partition(".")
            if dot:
                variable = self._updated[int(number)]
                name, initial = f"{variable.op.name}/{self.name}", self.initial.get(kind, 0.0)
                found = slot(graph, made, name, initial)
                self._slots.setdefault(kind, {})[variable] = found
            elif key == "steps":
                slot(graph, made, f"{self.name}/steps", 0)

    def minimize(
        self, loss: Tensor, global_step: Any = None, var_list: Any = None,
        gate_gradients: Any = None, aggregation_method: Any = None,
        colocate_gradients_with_ops: Any = None, name: str | None = None, grad_loss: Any = None,
    ) -> Operation:  # fmt: skip
        """An operation whose run takes a step along the negative gradient of the loss."""
        found = self.compute_gradients(loss, var_list, grad_loss=grad_loss)
        return self.apply_gradients(found, global_step, name)

    def variables(self) -> list[Variable]:
        """The optimizer's own Variables."""
        return [one for slots in self._slots.values() for one in slots.values()]

    def get_slot_names(self) -> list[str]:
        """The kinds of Variables that the optimizer has for each of a model's."""
        return list(self._slots)

    def get_slot(self, var: Variable, name: str) -> Variable | None:
        """The optimizer's Variable of this kind for one of a model's."""
        return self._slots.get(name, {}).get(var)


def _rate(learning_rate: Any) -> Any:
    """A number, or a schedule that gives a tensor."""
    if not isinstance(learning_rate, Tensor):
        return float(learning_rate)
    return lambda step: learning_rate.node


class GradientDescentOptimizer(Optimizer):
    """θ ← θ − η·g."""

    def __init__(
        self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent"
    ) -> None:
        super().__init__(optim.GradientDescent(_rate(learning_rate)), name)


class MomentumOptimizer(Optimizer):
    """v ← μ·v + g, θ ← θ − η·v."""

    def __init__(
        self, learning_rate: Any, momentum: float, use_locking: bool = False,
        name: str = "Momentum", use_nesterov: bool = False,
    ) -> None:  # fmt: skip
        rule = optim.Momentum(_rate(learning_rate), momentum=momentum, nesterov=use_nesterov)
        super().__init__(rule, name)


class AdamOptimizer(Optimizer):
    """Adam, with ε outside the root and not corrected for bias (`rules.Adam`)."""

    def __init__(
        self, learning_rate: Any = 0.001, beta1: float = 0.9, beta2: float = 0.999,
        epsilon: float = 1e-8, use_locking: bool = False, name: str = "Adam",
    ) -> None:  # fmt: skip
        super().__init__(rules.Adam(_rate(learning_rate), beta1, beta2, epsilon), name)


class RMSPropOptimizer(Optimizer):
    """RMSProp, with ε inside the root; the mean square begins at 1 (`rules.RMSProp`)."""

    initial: ClassVar[dict[str, float]] = {"squares": 1.0}

    def __init__(
        self, learning_rate: Any, decay: float = 0.9, momentum: float = 0.0,
        epsilon: float = 1e-10, use_locking: bool = False, centered: bool = False,
        name: str = "RMSProp",
    ) -> None:  # fmt: skip
        rule = rules.RMSProp(_rate(learning_rate), decay, momentum, epsilon, centered)
        super().__init__(rule, name)


class AdagradOptimizer(Optimizer):
    """AdaGrad, whose sum of squares begins at `initial_accumulator_value` (`rules.Adagrad`)."""

    def __init__(
        self, learning_rate: Any, initial_accumulator_value: float = 0.1,
        use_locking: bool = False, name: str = "Adagrad",
    ) -> None:  # fmt: skip
        super().__init__(rules.Adagrad(_rate(learning_rate)), name)
        self.initial = {"squares": initial_accumulator_value}  # type: ignore[misc]


class AdadeltaOptimizer(Optimizer):
    """AdaDelta (`rules.Adadelta`)."""

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-8,
        use_locking: bool = False, name: str = "Adadelta",
    ) -> None:  # fmt: skip
        super().__init__(rules.Adadelta(_rate(learning_rate), rho, epsilon), name)
