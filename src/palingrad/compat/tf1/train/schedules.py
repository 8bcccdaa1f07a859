"""The global step, and learning rates that are computed from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....graph.registry import ops
from ..arrays import constant
from ..framework.convert import node
from ..framework.graph import Graph, GraphKeys, Tensor, build, get_default_graph
from ..framework.variables import Variable


def get_global_step(graph: Graph | None = None) -> Variable | None:
    """The graph's global step, or None."""
    found = (graph or get_default_graph()).get_collection(GraphKeys.GLOBAL_STEP)
    return found[0] if found else None


def create_global_step(graph: Graph | None = None) -> Variable:
    """A Variable that counts steps, the graph's global step."""
    if get_global_step(graph) is not None:
        raise ValueError("the graph has a global step already: tf.train.get_global_step().")
    keys = [GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP]
    with (graph or get_default_graph()).as_default():
        return Variable(constant(0, "int64"), False, keys, name="global_step")


def get_or_create_global_step(graph: Graph | None = None) -> Variable:
    """The graph's global step, made if there is none."""
    return get_global_step(graph) or create_global_step(graph)


def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The number of steps in a session."""
    return int(sess.run(global_step_tensor))


def _ratio(step: Any, steps: Any, staircase: bool) -> Any:
    ratio = ops.cast(node(step), "float32") / float(steps)
    return ops.floor(ratio) if staircase else ratio


def exponential_decay(
    learning_rate: float, global_step: Any, decay_steps: float, decay_rate: float,
    staircase: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """rate·decay_rate^(step/decay_steps)."""
    return build(
        "ExponentialDecay",
        name,
        lambda: (
            ops.pow(float(decay_rate), _ratio(global_step, decay_steps, staircase))
            * float(learning_rate)
        ),
    )


def inverse_time_decay(
    learning_rate: float, global_step: Any, decay_steps: float, decay_rate: float,
    staircase: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """rate/(1 + decay_rate·step/decay_steps)."""
    return build(
        "InverseTimeDecay",
        name,
        lambda: (
            float(learning_rate)
            / (1 + float(decay_rate) * _ratio(global_step, decay_steps, staircase))
        ),
    )


def polynomial_decay(
    learning_rate: float, global_step: Any, decay_steps: float,
    end_learning_rate: float = 0.0001, power: float = 1.0, name: str | None = None,
) -> Tensor:  # fmt: skip
    """From the rate to the end's in decay_steps steps, along (1 − step/decay_steps)^power."""

    def rate() -> Any:
        left = 1 - ops.minimum(_ratio(global_step, decay_steps, False), 1.0)
        return (learning_rate - end_learning_rate) * left**power + end_learning_rate

    return build("PolynomialDecay", name, rate)


def piecewise_constant(
    x: Any, boundaries: Sequence[float], values: Sequence[float], name: str | None = None
) -> Tensor:
    """The first value up to the first boundary, the second up to the second, and so on."""

    def chosen() -> Any:
        step, found = node(x), node(float(values[-1]))
        pairs = list(zip(boundaries, values, strict=False))
        for boundary, value in reversed(pairs):
            found = ops.where(step <= boundary, node(float(value)), found)
        return found

    return build("PiecewiseConstant", name, chosen)
