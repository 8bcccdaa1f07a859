"""`debug_nans`: reports the origin of the first NaN or infinity that reaches a result."""

from __future__ import annotations

import linecache
import weakref
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ...errors import NonFiniteError
from ...graph.context import context, level_of
from ...graph.describe.nonfinite import number
from ...graph.node import Node
from ...graph.operation import Operation
from ...graph.regions.regional import Regional
from ...graph.state.observe import Change, Observer, observed
from ...graph.traversal.order import postorder
from .origin import NonFiniteOrigin, Values, dependencies_of, find_origin, is_bad, known
from .reasons import explain, named

_PRUNE_AT = 4096  # candidate results after which references to deleted nodes are dropped


@contextmanager
def debug_nans(*, inputs: bool = False) -> Generator[None]:
    """Raises NonFiniteError if a NaN or an infinity reaches a result; names its origin and cause.

    Eager code is checked when a value is read, differentiated or assigned, and at the end of the
    `with`; sessions and functions after each run, before their assignments take effect. Non-finite
    values that reach no result, such as those in the branch that `where` doesn't select, are not
    reported. An infinity in the input data is reported where an operation makes a NaN from it, such
    as ∞ · 0; what is passed on as it was given, only with inputs=True. Inside the `with`, all code
    runs node by node.

    >>> import palingrad as pg
    >>> with pg.debug_nans():
    ...     print(pg.log(pg.tensor(0.5) - 0.8))
    Traceback (most recent call last):
    ...
    palingrad.errors.NonFiniteError: NaN in log: log of −0.3. ...
    """
    watch = _Watch(inputs)
    with observed(watch):
        yield
        watch.end()


class _Watch(Observer):
    """Checks results as they are observed, and unused values at the end."""

    def __init__(self, inputs: bool) -> None:
        self._inputs = inputs
        self._unused: dict[int, weakref.ref[Node]] = {}
        self._prune_at = _PRUNE_AT

    def computed(self, node: Node) -> None:
        if context().hidden:
            return
        for x in node.inputs:
            self._unused.pop(id(x), None)
        self._unused[id(node)] = weakref.ref(node)
        if len(self._unused) > self._prune_at:
            self._unused = {key: ref for key, ref in self._unused.items() if ref() is not None}
            self._prune_at = 2 * len(self._unused) + _PRUNE_AT

    def read(self, node: Node) -> None:
        if isinstance(node, Operation) and is_bad(known(node)):
            self._check([(node, node.label())])

    def differentiated(self, y: Node, found: Mapping[Node, Node]) -> None:
        # The gradients of leaves are results; those of intermediate values are not.
        leaves = {x: g for x, g in found.items() if not x.inputs}
        results = [(y, y.label()), *((g, gradient_of(x)) for x, g in leaves.items())]
        self._check(results, around=_order(y))

    def assigned(self, changes: Sequence[Change]) -> None:
        self._check([(value, f"the new value of {named(variable)}")
                     for variable, _, value in changes if isinstance(value, Node)])  # fmt: skip

    def ran(self, program: Any, values: Mapping[Node, Any]) -> None:
        def value(node: Node) -> Any:
            computed = values.get(node)
            return known(node) if computed is None else computed

        results = [(node, f"a result, {node.label()}") for node in program.outputs]
        results += [(node, f"the new value of {named(variable)}")
                    for variable, node in program.updates]  # fmt: skip
        self._check(results, values=value, around=program.order)

    def end(self) -> None:
        """Check the values that are still referenced and that no operation used."""
        alive = [node for ref in self._unused.values() if (node := ref()) is not None]
        self._check([(node, node.label()) for node in alive])

    def _check(
        self,
        results: Sequence[tuple[Node, str]],
        *,
        values: Values = known,
        around: Sequence[Node] = (),
    ) -> None:
        found = diagnosed(results, values, around, inputs=self._inputs)
        if found is not None:
            raise found[0]


def diagnosed(
    results: Sequence[tuple[Node, str]],
    values: Values = known,
    around: Sequence[Node] = (),
    *,
    inputs: bool = False,
) -> tuple[NonFiniteError, NonFiniteOrigin] | None:
    """The error that `debug_nans` raises if one of the named results isn't finite, and the origin
    of the value; None if all are finite, or non-finite in the input data alone."""
    bad = [(node, name) for node, name in results if is_bad(values(node))]
    if not bad:
        return None
    origin = find_origin([node for node, _ in bad], values, inputs=inputs)
    if origin is None:
        return None
    origin = origin.extended(around)
    return _error(origin, bad, values), origin


def gradient_of(x: Node) -> str:
    """What a message calls the gradient of a leaf."""
    return f"the gradient of {named(x)}"


def _error(
    origin: NonFiniteOrigin, bad: Sequence[tuple[Node, str]], values: Values
) -> NonFiniteError:
    """The error, with the value, its origin, the cause and a suggested rewrite."""
    node, root = origin.node, origin.trail[-1][0]
    reason = explain(origin, values)
    name = next((name for result, name in bad if result is root), bad[0][1])
    what = number(values(root)[origin.trail[-1][1]].item())
    during = _during(node, origin)
    error = NonFiniteError(f"{what} in {name}: {reason.what}. {_where(origin, during)}",
                           hint=f"Try {reason.rewrite}.")  # fmt: skip
    error.node, error.element = node, origin.element
    error.reason, error.rewrite, error.during = reason.what, reason.rewrite, during
    error.explained = True
    return error


def _order(y: Node) -> list[Node]:
    return postorder(y, inputs=dependencies_of)


def _during(node: Node, origin: NonFiniteOrigin) -> str:
    if level_of(node._origin):
        return "backward"
    # A loop may have been merged with the one that its derivative runs again: its inputs tell.
    before = [x for x in _order(node) if not isinstance(x, Regional)]
    return "update" if any(level_of(x._origin) for x in before) else "forward"


def _where(origin: NonFiniteOrigin, during: str) -> str:
    """'It began in log[2] at model.py:7, in the forward pass: `y = pg.log(x)`.'"""
    node, element = origin.node, origin.element
    index = f"[{', '.join(map(str, element))}]" if element else ""
    place = "" if node.origin is None else f" at {node.origin}"
    line = "" if node.origin is None else linecache.getline(*node.origin).strip()
    passes = {"update": "in the update"}.get(during, f"in the {during} pass")
    if not isinstance(node, Operation):
        passes = "given so"
    code = f": `{line}`" if line else ""
    return f"It began in {node.label()}{index}{place}, {passes}{code}."
