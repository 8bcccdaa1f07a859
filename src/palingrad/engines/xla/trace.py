"""A Program as one function of JAX's arrays, which `jax.jit` compiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import Item, MultipleOutputs, Operation
from ...graph.regions.regional import Regional
from ...passes.program import Program
from ...shapes import sizes
from .checks import Span, computed, span
from .functions.maths import Unmapped
from .host import on_host
from .jaxlib import jnp
from .kinds import Factors, mapped
from .precision import Mixed, wide

# What a formula raises where it isn't for traced arrays: Python asks them for their values, or
# NumPy's functions for arrays of its own.
_REFUSALS = (Unmapped, TypeError, ValueError, NotImplementedError, AttributeError, IndexError)


@dataclass
class Trace:
    """What is noted while a Program, or a region, is traced."""

    failures: list[Exception]  # of operations that NumPy computes, in a run
    hosted: dict[Node, str] = field(default_factory=dict[Node, str])  # what NumPy computes, why
    spans: list[Span] = field(default_factory=list[Span])  # integers to be checked
    mixed: Mixed | None = None  # where bfloat16 is computed with
    parallel: tuple[str, int] | None = None  # axis and size of the mesh that shares a map's rows

    def inner(self, results: Sequence[Node]) -> Trace:
        """The trace of a region, which has spans of its own."""
        return Trace(self.failures, self.hosted, mixed=self.mixed and Mixed(results))


Regions = Callable[[Regional, Sequence[Any], Trace], Sequence[Any]]


def evaluated(
    order: Sequence[Node], given: dict[Node, Any], trace: Trace, regions: Regions
) -> dict[Node, Any]:
    """The values of all nodes, from those of the leaves."""
    values = dict(given)
    for node in order:
        if node in values:
            continue
        if isinstance(node, Constant):
            values[node] = jnp.asarray(node.numpy())
            continue
        assert isinstance(node, Operation), node
        inputs = [values[x] for x in node.inputs]
        if isinstance(node, Regional):
            values[node] = _regional(node, wide(inputs), trace, regions)
        elif isinstance(node, Item):
            values[node] = inputs[0][node.attributes["index"]]
        else:
            values[node] = _applied(node, inputs, trace, values)
            trace.spans += [span(one, values[one.x]) for one in computed(node)]
    return values


def _applied(node: Operation, inputs: Sequence[Any], trace: Trace, values: dict[Node, Any]) -> Any:
    """A node's value on the device, or by NumPy where that isn't known or fits no rule."""
    mixed = trace.mixed
    try:
        compute = mapped(node)
        product = isinstance(compute, Factors)
        if isinstance(compute, Factors):
            compute, taken = compute.function, [values[one] for one in compute.inputs]
        else:
            taken = inputs
        if mixed is not None:
            taken = mixed.taken(node, taken, multiplies=product)
        value = compute(*taken)
        if isinstance(node, MultipleOutputs):
            pairs = zip(value, node.shape, node.dtype, strict=True)
            return tuple(_fitting(*one) for one in pairs)
        value = _fitting(value, node.shape, node.dtype)
        return value if mixed is None else mixed.held(node, value, values)
    except _REFUSALS as error:
        trace.hosted[node] = f"{type(error).__name__}: {error}".splitlines()[0]
    return on_host(node, trace.failures)(*wide(inputs))


def _regional(node: Regional, inputs: list[Any], trace: Trace, regions: Regions) -> Any:
    try:
        return regions(node, inputs, trace)
    except Unmapped as error:
        trace.hosted[node] = str(error)
    return on_host(node, trace.failures)(*inputs)


def _fitting(value: Any, shape: Any, dtype: Any) -> Any:
    value = jnp.asarray(value)
    if (value.shape, value.dtype) != (sizes(shape), dtype):
        raise Unmapped(f"XLA gives {value.dtype} {value.shape}, the rule {dtype} {shape}")
    return value.astype(dtype)  # never weak


def function_of(program: Program, trace: Trace, regions: Regions) -> Callable[..., Any]:
    """The function from (feeds, states) to (outputs, new values of Variables, spans)."""

    def run(feeds: Sequence[Any], states: Sequence[Any]) -> Any:
        trace.spans.clear()
        given: dict[Node, Any] = dict(
            zip((*program.feeds, *program.reads), (*feeds, *states), strict=True)
        )
        values = evaluated(program.order, given, trace, regions)
        taken = [*feeds, *states]  # each result is an array of its own, which may be donated
        updates: list[Any] = []
        for _, node in program.updates:
            value = values[node]
            known = any(value is one for one in taken)
            updates.append(jnp.copy(value) if known else value)
            taken.append(value)
        outputs = wide([values[node] for node in program.outputs])
        return outputs, updates, [(one.least, one.most) for one in trace.spans]

    return run
