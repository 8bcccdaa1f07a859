"""scan, fori_loop and map: a function applied in each of a known number of steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.regions.region import parameter
from ...graph.regions.tracing import (
    filled,
    fresh_parameters,
    lifted,
    nodes_of,
    same_structure,
    start,
    strong,
    traced,
    tracing,
)
from ...graph.registry import ops, register
from ...messages.calls import called
from ...messages.checks import flag, shown, whole
from ...shapes import known, sizes
from .carries import checked_carries, initial
from .loop import Loop

Function = Callable[..., Any]


@register
def scan(
    f: Function,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    *,
    reverse: bool = False,
    unroll: int = 1,
    checkpoint: bool | int = False,
    name: str | None = None,
) -> tuple[Any, Any]:
    """(the last carry, stacked ys) of (carry, y) = f(carry, x) for each row x of xs.

    `init` is the first carry, and xs arrays with one row for each step; both may be lists, tuples
    and dicts of arrays, or None, and so may y. Without xs, f gets None, `length` times. A carry
    keeps its structure, shapes and dtypes. f is called to build a graph, which then runs in a loop
    of the engine; it may use nodes and Variables from outside, to which gradients flow.

    reverse: from the last row to the first. unroll: the number of steps that the loop's body holds.
    checkpoint: the reverse pass keeps the carries of every step only, or of every `checkpoint`-th,
    and computes the rest again.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> last, sums = pg.scan(lambda c, x: (c + x, c + x), 0.0, np.array([1.0, 2.0, 3.0]))
    >>> float(last), sums.numpy()
    (6.0, array([1., 3., 6.]))
    """
    reverse = flag("scan: reverse", reverse)
    unroll = whole("scan: unroll", unroll, least=1, like=2)
    every = _every(checkpoint)
    loop = Scan("scan", f, name)
    rows = filled(xs, [_rows(x) for x in nodes_of(xs)])
    steps = _steps(nodes_of(rows), length)
    if every > 1 or unroll > 1:
        if steps is None:
            raise ShapeError(
                "scan: unroll and checkpoint=k need a known number of steps.",
                hint="Give the placeholder's first axis a size, or pass length=.",
            )
        return _grouped(loop, init, rows, steps, reverse, unroll, every)
    return loop(init, rows, steps, reverse=reverse, checkpoint=bool(checkpoint))


def _every(checkpoint: Any) -> int:
    if isinstance(checkpoint, (bool, np.bool_)):
        return 1
    return whole("scan: checkpoint", checkpoint, least=1, like=16)


def _rows(x: Any) -> Node:
    node = as_node(x)
    if node.shape == ():
        raise ShapeError(
            f"scan: xs holds a scalar, {shown(x)}, which has no rows.",
            hint="f gets what is the same in each step by its closure; a number of steps is "
            "length=.",
        )
    return node


def _steps(rows: Sequence[Node], length: Any) -> int | None:
    """The number of steps; None if it isn't known yet."""
    counts = {x.shape[0] for x in rows if x.shape is not None and x.shape[0] is not None}
    if length is not None:
        counts.add(whole("scan: length", length, like=10))
    if len(counts) > 1:
        found = " and ".join([str(size) for size in sorted(counts)])
        raise ShapeError(
            f"scan: the first axes of xs, and length=, differ: {found}.",
            hint="Each array in xs has one row for each step.",
        )
    if not counts and not rows:
        raise ArgumentError("scan: the number of steps is missing.", hint="Pass xs or length=10.")
    return next(iter(counts), None)


class Scan:
    """A function f(carry, x) that is traced into the body of a Loop."""

    def __init__(self, where: str, f: Function, name: str | None, kind: type[Loop] = Loop) -> None:
        self.where, self._f, self._name, self._kind = where, f, name, kind

    def stacked(self, xs: Any) -> Any:
        """The stacked ys of a function without a carry."""
        rows = filled(xs, [_rows(x) for x in nodes_of(xs)])
        return self(None, rows, _steps(nodes_of(rows), None), reverse=False, checkpoint=False)[1]

    def __call__(
        self, init: Any, xs: Any, length: int | None, *, reverse: bool, checkpoint: bool
    ) -> tuple[Any, Any]:
        rows: list[Node] = nodes_of(xs)
        carries = initial(self.where, init)
        while True:  # again if a carry that began as a Python number took another dtype
            began = start()
            first = fresh_parameters(carries.nodes)
            slices = [parameter((_row(x), x.dtype, None), like=x) for x in rows]
            carry, y = self._step(filled(init, first), filled(xs, slices))
            results = checked_carries(self.where, init, carries, carry)
            if not carries.adapted:
                break
        with tracing(self.where):
            ys = [strong(one) for one in nodes_of(y)]
        (region,), captures = lifted(self.where, [([*first, *slices], [*results, *ys])], began)
        loop = self._kind(
            *carries.nodes, *rows, *captures,
            regions=(region,), carries=len(first), slices=len(rows), length=length,
            reverse=reverse, checkpoint=checkpoint, name=self._name,
        )  # fmt: skip
        items = loop.items
        return filled(init, items[: len(first)]), filled(y, items[len(first) :])

    def _step(self, carry: Any, x: Any) -> tuple[Any, Any]:
        return self.pair(traced(self.where, self._f, (carry, x)))

    def pair(self, result: Any) -> tuple[Any, Any]:
        """What f returned, if it is a pair."""
        if not isinstance(result, tuple) or len(result) != 2:
            raise ArgumentError(
                f"{self.where}: f returned {shown(result)}, not a pair of carry and y.",
                hint="End it with return carry, y; y is None where nothing is stacked.",
            )
        return result


def _row(x: Node) -> Any:
    return None if x.shape is None else x.shape[1:]


def _grouped(
    loop: Scan, init: Any, xs: Any, steps: int, reverse: bool, unroll: int, every: int
) -> tuple[Any, Any]:
    """A scan whose body holds several steps: `unroll` in a row, or a loop of `every` steps, of
    which the reverse pass keeps only the first carries."""
    size = every if every > 1 else unroll
    groups = steps // size

    def body(carry: Any, x: Any) -> tuple[Any, Any]:
        if every > 1:
            inner = Scan(loop.where, loop._f, None)
            if unroll > 1:
                return _grouped(inner, carry, x, size, reverse, unroll, 1)
            return inner(carry, x, size, reverse=reverse, checkpoint=False)
        return _in_a_row(loop, carry, x, size, reverse)

    def cut(start: int, stop: int, grouped: bool) -> Any:
        parts = [x[start:stop] for x in nodes_of(xs)]
        if grouped:
            parts = [_in_groups(x, groups, size) for x in parts]
        return filled(xs, parts)

    def whole_groups(carry: Any) -> tuple[Any, Any]:
        outer = Scan(loop.where, body, loop._name)
        rows = cut(0, groups * size, True)
        last, ys = outer(carry, rows, groups, reverse=reverse, checkpoint=every > 1)
        return last, filled(ys, [_flat(y, groups, size) for y in nodes_of(ys)])

    def rest(carry: Any) -> tuple[Any, Any]:
        rows = cut(groups * size, steps, False)
        return loop(carry, rows, steps - groups * size, reverse=reverse, checkpoint=every > 1)

    if groups * size == steps:
        return whole_groups(init)
    if not groups:
        return rest(init)
    parts = (rest, whole_groups) if reverse else (whole_groups, rest)
    carry, first = parts[0](init)
    carry, second = parts[1](carry)
    before, after = (second, first) if reverse else (first, second)
    joined = [
        ops.concat([a, b], axis=0) for a, b in zip(nodes_of(before), nodes_of(after), strict=True)
    ]
    return carry, filled(before, joined)


def _in_groups(x: Node, groups: int, size: int) -> Node:
    if known(x.shape):
        return ops.reshape(x, (groups, size, *sizes(x.shape)[1:]))
    return ops.stack([x[start * size : (start + 1) * size] for start in range(groups)])


def _flat(y: Node, groups: int, size: int) -> Node:
    if known(y.shape):
        return ops.reshape(y, (groups * size, *sizes(y.shape)[2:]))
    return ops.concat([y[group] for group in range(groups)], axis=0)


def _in_a_row(loop: Scan, carry: Any, xs: Any, size: int, reverse: bool) -> tuple[Any, Any]:
    """`size` steps without a loop."""
    ys: list[Any] = [None] * size
    structure = carry
    for step in reversed(range(size)) if reverse else range(size):
        row = filled(xs, [x[step] for x in nodes_of(xs)])
        carry, ys[step] = loop.pair(called(loop._f, carry, row))
        if not same_structure(carry, structure):
            checked_carries(loop.where, structure, initial(loop.where, structure), carry)
    columns = zip(*(nodes_of(y) for y in ys), strict=True)
    return carry, filled(ys[0], [ops.stack([as_node(y) for y in column]) for column in columns])


@register
def fori_loop(
    lower: Any,
    upper: Any,
    body: Function,
    init: Any,
    *,
    unroll: int = 1,
    checkpoint: bool | int = False,
    name: str | None = None,
) -> Any:
    """The last carry of carry = body(i, carry) for i = lower, …, upper − 1.

    `init`, the first carry, may be a list, tuple or dict of arrays; a carry keeps its structure,
    shapes and dtypes. `unroll` and `checkpoint`: see `scan`. If lower or upper is a node, the loop
    is a `while_loop`, without a reverse mode.

    >>> import palingrad as pg
    >>> float(pg.fori_loop(0, 5, lambda i, x: x * 2.0, 1.0))
    32.0
    """
    bounds = [x for x in (lower, upper) if isinstance(x, Node)]
    if bounds:
        return ops.while_loop(
            lambda state: ops.less(state[0], upper),
            lambda state: (state[0] + 1, body(state[0], state[1])),
            (ops.cast(as_node(lower), "int64"), init),
            name=name,
        )[1]
    try:
        first, last = index(lower), index(upper)
    except TypeError:
        raise ArgumentError(
            f"fori_loop: expected integers, got {shown(lower)} and {shown(upper)}.",
            hint="Write pg.fori_loop(0, 10, lambda i, x: …, x).",
        ) from None
    carries = initial("fori_loop", init)

    def step(state: Any, _: Any) -> tuple[Any, None]:
        i, carry = state
        carry = body(i, carry)
        checked_carries("fori_loop", init, carries, carry)  # errors speak of the user's carry
        return (i + 1, carry), None

    counter = Constant(np.asarray(first, np.int64))
    (_, carry), _ = scan(
        step, (counter, init), length=max(last - first, 0),
        unroll=unroll, checkpoint=checkpoint, name=name,
    )  # fmt: skip
    return carry


@register
def map(f: Function, xs: Any, *, name: str | None = None) -> Any:
    """f of each row of xs, stacked: f is run one row at a time, and needs the memory of one.

    xs and what f returns may be lists, tuples and dicts of arrays.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> pg.map(lambda x: pg.sum(x), np.ones((2, 3))).numpy()
    array([3., 3.])
    """
    return scan(lambda carry, x: (None, f(x)), None, xs, name=name)[1]
