"""Loop: a body that runs a known number of times, the operation of scan, fori_loop and map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...dtypes import Array, is_integer
from ...errors import DTypeError, ShapeError
from ...graph.context import graph_scope
from ...graph.kinds import AnonymousGraph
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import Item
from ...graph.regions.region import Form, Region, form_of
from ...graph.regions.regional import Body, Regional, Steps
from ...graph.registry import ops
from ...shapes import known, sizes
from ..elementwise.arithmetic import Add
from .carries import check_kept


class Loop(Regional):
    r"""(c, y) = body(c, xₜ) for t = 0, …, `length` − 1, backwards with `reverse`.

    Inputs are the initial carries, `carries` of them, then `slices` arrays along whose first axis
    the body goes, then captures, which are the same in each step. The results are the last carries,
    and each y of the body stacked along a new first axis. `checkpoint`: the reverse pass computes
    what it needs of the body again, from the carries.
    """

    math = r"\operatorname{loop}({x})"
    symbol = ","

    @property
    def body(self) -> Region:
        """The region that is run in each step."""
        return self.attributes["regions"][0]

    @property
    def count(self) -> int:
        return len(self.body.results)

    @property
    def parts(self) -> tuple[Sequence[Node], Sequence[Node], Sequence[Node]]:
        """The inputs: initial carries, arrays that are sliced, captures."""
        first = self.attributes["carries"]
        second = first + self.attributes["slices"]
        return self.inputs[:first], self.inputs[first:second], self.inputs[second:]

    @classmethod
    def forms(
        cls, inputs: Sequence[Any], attributes: Mapping[str, Any]
    ) -> Sequence[Sequence[Form]]:
        first, slices = attributes["carries"], attributes["slices"]
        forms = [form_of(x) for x in inputs]
        for number in range(first, first + slices):
            shape, dtype, _ = forms[number]
            forms[number] = (shape or ())[1:], dtype, None
        return [forms]

    @classmethod
    def fitted(cls, inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        first, slices = attributes["carries"], attributes["slices"]
        lengths = {x.shape[0] for x in inputs[first : first + slices] if x.shape}
        lengths.discard(None)
        if any(x.shape == () for x in inputs[first : first + slices]):
            raise ShapeError(
                "scan: an array in xs has no axis to go along",
                hint="Pass what is the same in each step by the body's closure.",
            )
        given = attributes["length"]
        if len(lengths | ({given} - {None})) > 1:
            counts = " and ".join(map(str, sorted(lengths | ({given} - {None}))))
            raise ShapeError(f"scan: the first axes of xs, and length=, differ: {counts}",
                             hint="Each array in xs has one row for each step.")  # fmt: skip
        if given is None and lengths:
            attributes = {**attributes, "length": lengths.pop()}
        return super().fitted(inputs, attributes)

    def _infer(self) -> None:
        carries, results = self.attributes["carries"], self.body.results
        length = self.attributes["length"]
        shapes: list[Any] = [x.shape for x in self.inputs[:carries]]
        dtypes: list[Any] = [x.dtype for x in self.inputs[:carries]]
        if self.body.is_concrete and all(known(x.shape) for x in self.inputs):
            try:
                check_kept(self.inputs[:carries], results[:carries])
            except (ShapeError, DTypeError) as error:
                raise self._explained(error, self.inputs) from None
        for y in results[carries:]:
            shapes.append(None if y.shape is None else (length, *y.shape))
            dtypes.append(y.dtype)
        self._shape, self._dtype = tuple(shapes), tuple(dtypes)

    def steps(self) -> Steps:
        known = self.attributes
        return Steps(known["carries"], known["slices"], known["length"], known["reverse"])

    def counter(self, carry: int) -> range | None:
        first, (after, length) = self.inputs[carry], (self.body.results[carry], self.iterations())
        if not (type(after) is Add and isinstance(first, Constant) and is_integer(first.dtype)):
            return None
        added = [x for x in after.inputs if isinstance(x, Constant)]
        if self.body.parameters[carry] not in after.inputs or len(added) != 1 or not length:
            return None
        if first.shape != () or added[0].shape != () or not (each := int(added[0].numpy())):
            return None
        begins = int(first.numpy())
        return range(begins, begins + each * length, each)

    def iterations(self) -> int:
        return self.attributes["length"]

    def run(self, bodies: Sequence[Body], *values: Array) -> Sequence[Any]:
        (body,), (first, slices) = bodies, (self.attributes["carries"], self.attributes["slices"])
        carries: list[Any] = list(values[:first])
        xs, captures = values[first : first + slices], values[first + slices :]
        length: int = self.attributes["length"]
        stacks = [np.empty((length, *sizes(y.shape)), y.dtype) for y in self.body.results[first:]]
        order = range(length - 1, -1, -1) if self.attributes["reverse"] else range(length)
        step = 0
        try:
            for step in order:
                results = body([*carries, *[x[step, ...] for x in xs], *captures])
                carries = list(results[:first])
                for stack, y in zip(stacks, results[first:], strict=True):
                    stack[step] = y
        except Exception as error:
            self.raise_in_step(error, step)
        return [*(np.array(c) for c in carries), *stacks]

    _kept: tuple[tuple[int, ...], tuple[Array, ...]] = ((), ())
    _whole: Loop | None = None

    def keep(self, places: Sequence[int], stacks: Sequence[Array] = ()) -> None:
        """Keep values of the body in all steps, for the reverse pass: those of the nodes at these
        places of `Region.nodes`."""
        self._kept = tuple(places), tuple(stacks)

    @property
    def kept_places(self) -> tuple[int, ...]:
        """The places of the nodes of the body whose values are kept."""
        return self._kept[0]

    @property
    def kept(self) -> tuple[Node, ...]:
        """The nodes of the body whose values are kept."""
        return tuple([self.body.nodes[place] for place in self.kept_places])

    @property
    def all_items(self) -> tuple[Item, ...]:
        if not self.kept_places:
            return self.items
        if self._whole is None:
            region = Region(self.body.parameters, (*self.body.results, *self.kept))
            whole = self.with_regions([region])
            whole._serial = self._serial
            whole._value = None if self._value is None else self.all_values
            with graph_scope(AnonymousGraph() if whole._value is None else None,
                             hidden=True, observed=False):  # fmt: skip
                assert whole.items
            self._whole = whole
        return (*self.items, *self._whole.items[self.count :])

    @property
    def all_values(self) -> tuple[Any, ...]:
        return (*self._value, *self._kept[1])

    def batched(y, batch: Any) -> Any:
        return ops.batched_loop(y, batch)

    def vjp(y, g: Any, *x: Node, needed: Sequence[bool] = ()) -> Sequence[Any]:
        return ops.pull_loop_back(y, g, needed or [True] * len(x))

    def jvp(y, tangents: Sequence[Node | None], *x: Node) -> Any:
        return ops.push_loop_forward(y, tangents)
