"""The reverse pass of an eager tape of unknown structure: by one kept rule for each kind of step.

A tape of 100,000 operations is seldom built twice, and a Program of it would take minutes to
compile. But its operations are of few kinds: class, attributes, shapes and dtypes. Each kind's
vector-Jacobian product is made into NumPy steps after some occurrences, and from then on computed
on arrays. The operations and their order are those of `autodiff/reverse.py`, and so are the bits.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from ..autodiff.gradients import takes_gradient
from ..autodiff.reverse import pulled_back
from ..engines.base import sealed
from ..engines.numpy import NumpyExecutable
from ..graph.context import apart, context, graph_scope, set_open
from ..graph.kinds import AnonymousGraph
from ..graph.leaves import Constant, Placeholder, Variable
from ..graph.node import Node
from ..graph.operation import Item, MultipleOutputs, Operation
from ..graph.traversal.order import postorder
from ..graph.traversal.replay import replay
from ..ops.elementwise.arithmetic import Add, Divide, Multiply, Subtract
from ..ops.layout.move import Slice
from ..ops.stable import MAY_HAVE_FORMS, differentiable_form
from ..passes.common_subexpressions import common_subexpressions
from ..passes.expand import expand
from ..passes.fold_constants import fold
from ..passes.program import Program
from ..signature import hashable, settings

_OFTEN = 8  # occurrences after which a rule is made into steps
_RULES = 4096  # kinds that are remembered
_ARITHMETIC = frozenset((Add, Subtract, Multiply, Divide))  # whose rules don't read numbers

Contribution = Any  # an array or NumPy scalar; None for an input that takes no gradient

_rules: dict[Hashable, Rule | int] = {}  # by kind; until there is a rule, the number of occurrences


class Rule:
    """The cotangents of an operation's inputs from that of its output, as NumPy steps."""

    __slots__ = ("_executable", "_fed", "_fixed", "_places", "_steps")

    def __init__(self, node: Operation) -> None:
        with graph_scope(AnonymousGraph(), hidden=True, observed=False):
            fixed = type(node) not in _ARITHMETIC
            inputs = [x if fixed and _is_number(x) else _placeholder(x) for x in node.inputs]
            y, g = node.clone(inputs), _placeholder(node)
            found = pulled_back(y, g, list(map(takes_gradient, node.inputs)))
            outputs = [c for c in found if c is not None]
            fed: dict[Node, Node] = {y: _placeholder(node), g: g}
            fed.update((x, x) for x in inputs if isinstance(x, Placeholder))
            order = postorder(*outputs, inputs=lambda one: () if one in fed else one.inputs)
            built = replay(order, lambda one, given: one.rewired(given), fed)
            feeds: Any = tuple(fed.values())
            program = Program(feeds, tuple(built[c] for c in outputs))
            for rewrite in (expand, fold, common_subexpressions):
                program = rewrite(program)
        given = [n + 2 for n, x in enumerate(inputs) if isinstance(x, Placeholder)]
        self._fed = [1, 0, *given]  # of (g, y, *x)
        self._executable = executable = NumpyExecutable(program)
        self._steps, slots, self._fixed = executable.in_steps()
        places = iter(slots)
        self._places = [None if c is None else next(places) for c in found]

    def __call__(self, given: list[Any]) -> list[Contribution]:
        """The contributions for [g, y, *x]."""
        values = [given[n] for n in self._fed]
        values += self._fixed
        try:
            for step in self._steps:  # here, and not by calls: a step takes no longer than one
                step(values)
        except IndexError as error:
            self._executable.explain_index(error, values)
            raise
        return [None if place is None else values[place] for place in self._places]


def _is_number(x: Node) -> bool:
    return isinstance(x, Constant) and x.scalar is not None


def _placeholder(x: Node) -> Placeholder:
    return Placeholder.unchecked({"_shape": x.shape, "_dtype": x.dtype})


def cotangents(order: Sequence[Node]) -> dict[Node, Any] | None:
    """The cotangents of a tape's nodes, given in postorder, in which terms are added as by
    `autodiff/reverse.py`; None for a tape that only that can differentiate, or must refuse."""
    simple: dict[type, bool] = {}
    for node in order:
        inputs, kind = node.inputs, type(node)
        if not inputs:
            continue
        fits = simple.get(kind)
        if fits is None:
            fits = simple[kind] = _is_simple(node)
        if not fits or (kind in MAY_HAVE_FORMS and differentiable_form(node) is not None):
            return None
        for x in inputs:  # the Variables that are read must be as they were
            if not x.inputs and isinstance(x, Variable) and x._changed > node._serial:
                return None
    return apart(_cotangents, order)


def _is_simple(node: Any) -> bool:
    """Whether the rules of such operations depend on the operation alone."""
    return node._shipped and not isinstance(node, (MultipleOutputs, Item))


@np.errstate(all="ignore")
def _cotangents(order: Sequence[Node]) -> dict[Node, Any]:
    y: Any = order[-1]
    state = context()
    set_open(state.having(graph=None, hidden=True, origin=state.origin or y._origin))
    found: dict[Node, Any] = {y: np.ones(y.shape, y.dtype)}
    placed: set[Node] = set()  # whose arrays are written to in place
    selected = settings()
    # Of each class without attributes, the forms of the inputs that came last, and their rule: it
    # takes less time to compare forms than to find them in a dict.
    recent: dict[type, tuple[list[Any], Rule]] = {}
    nodes: Sequence[Any] = order  # the inner ones are operations
    for node in reversed(nodes):
        inputs = node.inputs
        if not inputs or (g := found.get(node)) is None:
            continue
        kind = type(node)
        if kind is Slice:
            _place(found, placed, node, g)
            continue
        given, forms = _given(g, node, kind in _ARITHMETIC)
        last = recent.get(kind)
        if last is not None and last[0] == forms and not node.attributes:
            parts = last[1](given)
        else:
            rule = _rule_for(node, forms, selected)
            if rule is not None and not node.attributes:
                recent[kind] = forms, rule
            parts = _by_nodes(node, g) if rule is None else rule(given)
        for x, part in zip(inputs, parts, strict=True):
            if part is not None:
                before = found.get(x)
                found[x] = part if before is None else before + part
                if placed:
                    placed.discard(x)
    return found


def _given(g: Any, node: Node, is_arithmetic: bool) -> tuple[list[Any], list[Any]]:
    """[g, y, *x], and for each input x its shape and dtype, or if it is a number, what the rule
    depends on."""
    given, forms = [g, node._value], []
    for x in node.inputs:
        value: Any = x._value
        given.append(value)
        if x.inputs or type(x) is not Constant or (scalar := x.scalar) is None:
            forms += value.shape, value.dtype
        else:
            forms += None if is_arithmetic else repr(scalar), value.dtype
    return given, forms


def _rule_for(node: Any, forms: list[Any], selected: Hashable) -> Rule | None:
    """The rule of the operation, None if there is none yet."""
    attributes: Hashable = ()
    if node.attributes:
        attributes = hashable(node.attributes)
        if attributes is None:
            return None
    key = type(node), selected, *forms, attributes
    rule = _rules.get(key, 0)
    return rule if isinstance(rule, Rule) else _counted(node, key, rule)


def _counted(node: Operation, key: Hashable, occurred: int) -> Rule | None:
    """The rule for a kind that occurred so many times without one."""
    if occurred < _OFTEN:
        if len(_rules) >= _RULES:
            _rules.clear()
        _rules[key] = occurred + 1
        return None
    rule = _rules[key] = Rule(node)
    return rule


def _by_nodes(node: Operation, g: Any) -> list[Contribution]:
    needed = list(map(takes_gradient, node.inputs))
    parts = pulled_back(node, Constant.holding(sealed(np.asarray(g))), needed)
    return [None if part is None else part._value for part in parts]


def _place(found: dict[Node, Any], placed: set[Node], node: Operation, g: Any) -> None:
    """Add the cotangent of a slice to that of the array, in place: for n slices of an array of n
    elements this takes n steps, where zeros with one slice each would take n²."""
    (x,) = node.inputs
    if not takes_gradient(x):
        return
    index, array = node.attributes["index"], found.get(x)
    if x not in placed:
        placed.add(x)
        value: Any = x._value
        array = found[x] = np.zeros(value.shape, value.dtype) if array is None else np.array(array)
    assert array is not None
    array[index] += g
