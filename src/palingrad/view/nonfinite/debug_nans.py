"""debug_nans: who made the first NaN or infinity that reached a result."""

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
from ...graph.observe import Change, Observer, observed
from ...graph.operation import Operation
from ...graph.traversal.order import postorder
from ..names import names_of
from .origin import Birth, Values, first_cause, is_bad, known, made_of
from .reasons import explain

_PRUNE_AT = 4096  # nodes that may be a result, of which the dead are then forgotten


@contextmanager
def debug_nans(*, inputs: bool = False) -> Generator[None]:
    """Raise NonFiniteError where a NaN or an infinity reaches a result: its first cause, and why.

    Eager code is looked at where a value is read, differentiated or assigned, and at the end of
    the `with`; sessions and functions after each run, before their assignments land. Silent on
    what reaches no result, such as the branch that `where` doesn't take, and on what the data
    holds already; with inputs=True that is told too. While it is on everything runs node by node.

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
    """Looks at results as they are made known, and at the end at what nobody used."""

    def __init__(self, inputs: bool) -> None:
        self._inputs = inputs
        self._unused: dict[int, weakref.ref[Node]] = {}
        self._prune_at = _PRUNE_AT

    def computed(self, node: Node) -> None:
        if context.hidden:
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
        # Gradients of what was computed on the way are no results; those of the leaves are.
        leaves = {x: g for x, g in found.items() if not x.inputs}
        results = [(y, y.label()), *((g, _gradient_of(x)) for x, g in leaves.items())]
        self._check(results, around=_order(y))

    def assigned(self, changes: Sequence[Change]) -> None:
        self._check([(value, f"the new value of {_named(variable)}")
                     for variable, _, value in changes if isinstance(value, Node)])  # fmt: skip

    def ran(self, program: Any, values: Mapping[Node, Any]) -> None:
        def value(node: Node) -> Any:
            found = values.get(node)
            return known(node) if found is None else found

        results = [(node, f"a result, {node.label()}") for node in program.outputs]
        results += [(node, f"the new value of {_named(variable)}")
                    for variable, node in program.updates]  # fmt: skip
        self._check(results, values=value, around=program.order)

    def end(self) -> None:
        """Look at what is alive and nobody used."""
        alive = [node for ref in self._unused.values() if (node := ref()) is not None]
        self._check([(node, node.label()) for node in alive])

    def _check(
        self,
        results: Sequence[tuple[Node, str]],
        *,
        values: Values = known,
        around: Sequence[Node] = (),
    ) -> None:
        bad = [(node, name) for node, name in results if is_bad(values(node))]
        if not bad:
            return
        birth = first_cause([node for node, _ in bad], values, inputs=self._inputs)
        if birth is not None:
            raise _error(birth.among(around), bad, values)


def _gradient_of(x: Node) -> str:
    return f"the gradient of {_named(x)}"


def _named(node: Node) -> str:
    """The node as the user calls it."""
    name = names_of([node])[id(node)]
    return f"{node.kind_name()} {name!r}" if name != node.kind_name() else node.label()


def _error(birth: Birth, bad: Sequence[tuple[Node, str]], values: Values) -> NonFiniteError:
    """The error that says all: what, where, why, what to write."""
    node, root = birth.node, birth.trail[-1][0]
    reason = explain(birth, values)
    name = next((name for one, name in bad if one is root), bad[0][1])
    what = number(float(values(root)[birth.trail[-1][1]]))
    during = _during(node, birth)
    error = NonFiniteError(f"{what} in {name}: {reason.what}. {_where(birth, during)}",
                           hint=f"Try {reason.rewrite}.")  # fmt: skip
    error.node, error.element = node, birth.element
    error.reason, error.rewrite, error.during = reason.what, reason.rewrite, during
    error.explained = True
    return error


def _order(y: Node) -> list[Node]:
    return postorder(y, inputs=made_of)


def _during(node: Node, birth: Birth) -> str:
    if level_of(node._origin):
        return "backward"
    before = _order(node)
    return "update" if any(level_of(one._origin) for one in before) else "forward"


def _where(birth: Birth, during: str) -> str:
    """'It began in log[2] at model.py:7, in the forward pass: `y = pg.log(x)`.'"""
    node, element = birth.node, birth.element
    index = f"[{', '.join(map(str, element))}]" if element else ""
    place = "" if node.origin is None else f" at {node.origin}"
    line = "" if node.origin is None else linecache.getline(*node.origin).strip()
    passes = {"update": "in the update"}.get(during, f"in the {during} pass")
    if not isinstance(node, Operation):
        passes = "given so"
    code = f": `{line}`" if line else ""
    return f"It began in {node.label()}{index}{place}, {passes}{code}."
