"""Switch: one of several functions, chosen by a value; the operation of cond and switch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...dtypes import Array, is_boolean, is_integer, promote
from ...errors import ArgumentError, DTypeError, ShapeError
from ...graph.node import Node
from ...graph.promotion import as_node, in_dtype
from ...graph.regions.region import Form, form_of
from ...graph.regions.regional import Body, Regional
from ...graph.regions.tracing import (
    filled,
    fresh_parameters,
    lifted,
    nodes_of,
    ordered,
    same_structure,
    start,
    strong,
    traced,
    tracing,
)
from ...graph.registry import ops, register
from ...messages.checks import shown
from ...shapes import text

Function = Callable[..., Any]


class Switch(Regional):
    r"""The results of region i, where the first input is i, an integer or a boolean.

    The other inputs are the parameters of all regions. Only the chosen region runs, and a
    derivative is that of the chosen one, so what another would compute never matters.
    """

    math = r"\operatorname{switch}({x})"
    chooses = True

    @property
    def count(self) -> int:
        return len(self.regions[0].results)

    @classmethod
    def forms(
        cls, inputs: Sequence[Any], attributes: Mapping[str, Any]
    ) -> Sequence[Sequence[Form]]:
        forms = [form_of(x) for x in inputs[1:]]
        return [forms] * len(attributes["regions"])

    def _infer(self) -> None:
        first = self.regions[0].results
        try:
            self._check()
        except (ShapeError, DTypeError) as error:
            raise self._explained(error, self.inputs) from None
        self._shape = tuple(y.shape for y in first)
        self._dtype = tuple(y.dtype for y in first)

    def _check(self) -> None:
        chooser, first = self.inputs[0], self.regions[0]
        names = _names(chooser, len(self.regions))
        if chooser.shape not in (None, ()):
            raise ShapeError(
                f"the choice has shape {text(chooser.shape)}, not one value",
                hint="Choose elements of arrays with pg.where(condition, x, y).",
            )
        for number, other in enumerate(self.regions):
            if not other.is_concrete:
                continue
            for x, y in zip(first.results, other.results, strict=True):
                if x.shape != y.shape:
                    raise ShapeError(
                        f"{names[0]} returns shape {text(x.shape)}, "
                        f"{names[number]} {text(y.shape)}",
                        hint="All branches return the same shapes, and dtypes.",
                    )
                if x.dtype != y.dtype:
                    raise DTypeError(
                        f"{names[0]} returns {x.dtype}, {names[number]} {y.dtype}",
                        hint="All branches return the same dtypes: pg.cast(y, 'float32').",
                    )

    def run(self, bodies: Sequence[Body], *values: Array) -> Sequence[Any]:
        number = int(values[0])
        if not 0 <= number < len(bodies):
            error = ArgumentError(
                f"{self.label()}: index {number} for {len(bodies)} branches{self.built()}.",
                hint="Branches are numbered from 0; pg.clip(index, 0, n - 1) keeps it in range.",
            )
            error.explained = True
            raise error
        return bodies[number](list(values[1:]))

    def batched(y, batch: Any) -> Any:
        return ops.batched_switch(y, batch)

    def vjp(y, g: Any, *x: Node, needed: Sequence[bool] = ()) -> Sequence[Any]:
        return ops.pull_switch_back(y, g, needed or [True] * len(x))

    def jvp(y, tangents: Sequence[Node | None], *x: Node) -> Any:
        return ops.push_switch_forward(y, tangents)


@register
def cond(
    condition: Any,
    if_true: Function,
    if_false: Function,
    *operands: Any,
    name: str | None = None,
) -> Any:
    """if_true(*operands) where the condition is true, else if_false(*operands).

    Both are called to build a graph, of which a run computes one. They return the same structure,
    shapes and dtypes. Operands may be lists, tuples and dicts of arrays; what the functions use
    from outside needn't be passed. The condition is one boolean; of elements choose with `where`.

    >>> import palingrad as pg
    >>> float(pg.cond(pg.tensor(-2.0) > 0, lambda x: x, lambda x: -x, 3.0))
    -3.0
    """
    chooser = as_node(condition)
    if chooser.dtype is not None and not is_boolean(chooser.dtype):
        raise DTypeError(
            f"cond: the condition is {chooser.dtype}, not a boolean.",
            hint="Compare: x != 0; an integer chooses in pg.switch(i, [f, g], x).",
        )
    return _chosen("cond", chooser, (if_false, if_true), operands, name)


@register
def switch(
    index: Any, branches: Sequence[Function], *operands: Any, name: str | None = None
) -> Any:
    """branches[index](*operands): see `cond`. An index outside the list is an error of the run.

    >>> import palingrad as pg
    >>> float(pg.switch(2, [pg.sin, pg.cos, pg.sqrt], 9.0))
    3.0
    """
    chooser = as_node(index)
    if chooser.dtype is not None and not is_integer(chooser.dtype):
        raise DTypeError(
            f"switch: the index is {chooser.dtype}, not an integer.",
            hint="Make it one: pg.cast(index, 'int64').",
        )
    if not isinstance(branches, (list, tuple)) or not branches:
        raise ArgumentError(
            f"switch: expected a list of functions, got {shown(branches)}.",
            hint="Write pg.switch(index, [f, g], x).",
        )
    return _chosen("switch", chooser, branches, operands, name)


def _chosen(
    where: str,
    chooser: Node,
    branches: Sequence[Function],
    operands: Sequence[Any],
    name: str | None,
) -> Any:
    if chooser.shape not in (None, ()):
        raise ShapeError(
            f"{where}: the choice has shape {text(chooser.shape)}, not one value.",
            hint="Choose elements of arrays with pg.where(condition, x, y).",
        )
    given = [strong(as_node(x)) for x in nodes_of(list(operands))]
    began = start()
    bodies: list[Any] = []
    trees: list[Any] = []
    for branch in branches:
        parameters = fresh_parameters(given)
        trees.append(traced(where, branch, filled(list(operands), parameters)))
        bodies.append(parameters)
    results = _alike(where, _names(chooser, len(branches)), trees)
    regions, captures = lifted(where, list(zip(bodies, results, strict=True)), began)
    if not results[0]:
        return trees[0]
    node = Switch(chooser, *given, *captures, regions=tuple(regions), name=name)
    return filled(trees[0], node.items)


def _names(chooser: Node, count: int) -> Sequence[str]:
    """What messages call the branches: the parameters of `cond`, or numbers."""
    if chooser.dtype is not None and is_boolean(chooser.dtype):
        return "if_false", "if_true"
    return [f"branch {number}" for number in range(count)]


def _alike(where: str, names: Sequence[str], trees: Sequence[Any]) -> list[list[Node]]:
    """The results of all branches, in common dtypes where some are Python numbers."""
    for number, tree in enumerate(trees):
        if not same_structure(trees[0], tree):
            raise ArgumentError(
                f"{where}: {names[number]} returns {shown(tree)}, {names[0]} {shown(trees[0])}.",
                hint="All branches return the same lists, tuples, dicts and dataclasses.",
            )
    with tracing(where):
        rows = [nodes_of(ordered(tree, trees[0])) for tree in trees]
        columns = [_in_one_dtype(column) for column in zip(*rows, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)] or [[] for _ in trees]


def _in_one_dtype(column: Sequence[Node]) -> list[Node]:
    """The results of all branches, of which Python numbers take the dtype of the others."""
    found = [y.dtype for y in column if y.weak is None]
    dtypes = [dtype for dtype in found if dtype is not None]
    if not dtypes or len(dtypes) < len(found):  # all are numbers, or in a template
        return [strong(y) for y in column]
    dtype = promote(*dtypes)
    return [in_dtype(y, dtype) if y.weak is not None else y for y in column]
