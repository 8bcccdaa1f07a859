"""WhileLoop: a body that runs while a condition holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...dtypes import Array, is_boolean
from ...errors import ArgumentError, DTypeError, ShapeError
from ...graph.node import Node
from ...graph.regions.region import Form, form_of
from ...graph.regions.regional import Body, Regional, Repeats
from ...graph.regions.tracing import filled, fresh_parameters, lifted, nodes_of, start, traced
from ...graph.registry import ops, register
from ...messages.checks import whole
from ...shapes import known
from .carries import check_kept, checked_carries, initial

Function = Callable[..., Any]
_GUESS = 16  # iterations, for estimates of costs


class WhileLoop(Regional):
    r"""c = body(c) while condition(c), at most `max_steps` times if that is given.

    Inputs are the initial carries, `carries` of them, and captures. The regions are the condition
    and the body, of the same parameters. The results are the last carries.
    """

    math = r"\operatorname{while}({x})"

    @property
    def count(self) -> int:
        return self.attributes["carries"]

    @classmethod
    def forms(
        cls, inputs: Sequence[Any], attributes: Mapping[str, Any]
    ) -> Sequence[Sequence[Form]]:
        forms = [form_of(x) for x in inputs]
        return forms, forms

    def _infer(self) -> None:
        carries = self.inputs[: self.count]
        if all(known(x.shape) for x in self.inputs):
            try:
                check_kept(carries, self.regions[1].results)
                (condition,) = self.regions[0].results
                if condition.shape not in (None, ()):
                    raise ShapeError("the condition isn't one value", hint="Write pg.all(…).")
            except (ShapeError, DTypeError) as error:
                raise self._explained(error, self.inputs) from None
        self._shape = tuple(x.shape for x in carries)
        self._dtype = tuple(x.dtype for x in carries)

    def repeats(self) -> Repeats:
        return Repeats(self.count, self.attributes["max_steps"])

    def iterations(self) -> int:
        return self.attributes["max_steps"] or _GUESS

    def run(self, bodies: Sequence[Body], *values: Array) -> Sequence[Any]:
        condition, body = bodies
        carries, captures = list(values[: self.count]), values[self.count :]
        most = self.attributes["max_steps"]
        step = 0
        try:
            while step != most and condition([*carries, *captures])[0]:
                carries = list(body([*carries, *captures]))
                step += 1
        except Exception as error:
            self.raise_in_step(error, step)
        return [np.array(c) for c in carries]

    def batched(y, batch: Any) -> Any:
        return ops.batched_while(y, batch)

    def vjp(y, g: Any, *x: Node, needed: Sequence[bool] = ()) -> Sequence[Any]:
        return ops.pull_while_back(y, g, needed or [True] * len(x))

    def jvp(y, tangents: Sequence[Node | None], *x: Node) -> Any:
        return ops.push_while_forward(y, tangents)


@register
def while_loop(
    condition: Function,
    body: Function,
    init: Any,
    *,
    max_steps: int | None = None,
    name: str | None = None,
) -> Any:
    """The last carry of carry = body(carry) while condition(carry) holds.

    `init`, the first carry, may be a list, tuple or dict of arrays; a carry keeps its structure,
    shapes and dtypes. With max_steps the loop ends after that many steps at the latest, and can be
    differentiated in reverse mode too: as a scan of max_steps steps, most of which may do nothing.

    >>> import palingrad as pg
    >>> float(pg.while_loop(lambda x: x < 100, lambda x: 2 * x, 1.0))
    128.0
    """
    if max_steps is not None:
        max_steps = whole("while_loop: max_steps", max_steps, least=0, like=100)
    carries = initial("while_loop", init)
    if not carries.nodes:
        raise ArgumentError("while_loop: init holds no number.", hint="Carry what changes.")
    while True:  # again if a carry that began as a Python number took another dtype
        began = start()
        first = fresh_parameters(carries.nodes)
        carry = traced("while_loop", body, [filled(init, first)])
        results = checked_carries("while_loop", init, carries, carry)
        if not carries.adapted:
            break
    asked = fresh_parameters(carries.nodes)
    holds = nodes_of(traced("while_loop", condition, [filled(init, asked)]))
    if len(holds) != 1:
        raise ArgumentError(
            f"while_loop: the condition returned {len(holds)} values, not one.",
            hint="It returns one boolean: lambda x: pg.all(x < 1).",
        )
    dtype, shape = holds[0].dtype, holds[0].shape
    if dtype is not None and not is_boolean(dtype):
        raise DTypeError(f"while_loop: the condition is {dtype}, not a boolean.",
                         hint="Compare: lambda x: x > 0.")  # fmt: skip
    if shape not in (None, ()):
        raise ShapeError(f"while_loop: the condition has shape {shape}, not one value.",
                         hint="Write pg.all(…) or pg.any(…).")  # fmt: skip
    regions, captures = lifted("while_loop", [(asked, holds), (first, results)], began)
    loop = WhileLoop(
        *carries.nodes, *captures,
        regions=tuple(regions), carries=len(first), max_steps=max_steps, name=name,
    )  # fmt: skip
    return filled(init, loop.items)
