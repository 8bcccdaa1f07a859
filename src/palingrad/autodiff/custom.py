"""Functions with derivatives of their own: custom_vjp, custom_jvp, checkpoint."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial, update_wrapper, wraps
from inspect import signature
from typing import Any

from ..dtypes import is_inexact
from ..errors import GradientError
from ..graph.context import graph_scope
from ..graph.leaves import Placeholder, Variable
from ..graph.node import Node, next_serial
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.calls import called, public
from ..messages.checks import counted
from .batching import Examples, OneExample, Rebuilt
from .calls import Function, as_arrays, check_function, nodes_of, numeric, refilled
from .gradients import gradients
from .ruled import RuledBackward, RuledForward, again, closed_over, detached, fitting, outside


class _Custom:
    """A function with a derivative of its own."""

    transform = ""

    def __init__(self, f: Function, nondiff_argnums: Collection[int] = ()) -> None:
        check_function(self.transform, f)
        update_wrapper(self, f)  # pyright: ignore[reportArgumentType]
        self.f = f
        self.nondiff = frozenset(nondiff_argnums)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """f's result, whose derivative is the rule's."""
        return self._called(self._positional(args, kwargs) if kwargs else args)

    def _called(self, args: Sequence[Any]) -> Any:
        raise NotImplementedError

    def _positional(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Sequence[Any]:
        """The arguments in f's order: the rule has a derivative for each place."""
        bound = signature(self.f).bind(*args, **kwargs)
        bound.apply_defaults()
        if bound.kwargs:
            raise GradientError(
                f"{self.transform}: {getattr(self.f, '__name__', 'f')} takes "
                f"{', '.join(bound.kwargs)} by keyword only: the rule has no place for it.",
                hint="Make it an ordinary parameter; its number may be in nondiff_argnums.",
            )
        return bound.args

    def _unruled(self, how: str) -> GradientError:
        name = getattr(self.f, "__name__", "f")
        return GradientError(f"{self.transform}: {name} has no rule yet.", hint=how.format(name))

    def _check_arguments(self, ys: Sequence[Node], own: Sequence[Node], began: int) -> None:
        """Raise GradientError if derivatives of the results would get lost, since the rule gives
        none for what isn't an argument."""
        for node in closed_over(ys, own, began):
            if isinstance(node, Variable) and not node.trainable:
                continue
            raise GradientError(
                f"{self.transform}: {getattr(self.f, '__name__', 'f')} depends on {node.label()}"
                f"{node.built()}, which isn't an argument: its derivative would be lost.",
                hint="Pass it as an argument, or through pg.stop_gradient.",
            )


class _Arguments:
    """The arguments of one call, whose nodes are inputs of the node with the rule."""

    def __init__(self, args: Sequence[Any], nondiff: Collection[int]) -> None:
        self.args, self.fixed = list(args), sorted(nondiff)
        self.leaves = numeric(self.args)
        self.nodes = [x for x in self.leaves if isinstance(x, Node)]
        self.chosen = [arg for number, arg in enumerate(args) if number not in nondiff]
        self.moving = [x for x in numeric(self.chosen) if isinstance(x, Node) and x._differentiable]

    def filled(self, inputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """(those without derivative, the others), with these nodes."""
        new = iter(inputs)
        args = refilled(self.args, [next(new) if isinstance(x, Node) else x for x in self.leaves])
        others = [arg for number, arg in enumerate(args) if number not in self.fixed]
        return [args[number] for number in self.fixed], others

    def for_nodes(self, found: Sequence[Any]) -> list[Any]:
        """What was found for those that have derivatives, in the order of the nodes; else None."""
        pairs = list(zip(self.moving, found, strict=True))
        result: list[Any] = []
        for node in self.nodes:
            place = next((n for n, (x, _) in enumerate(pairs) if x is node), None)
            result.append(None if place is None else pairs.pop(place)[1])
        return result


class custom_vjp(_Custom):
    """A function whose reverse mode is a rule of its own: `f.defvjp(fwd, bwd)`.

    fwd takes f's arguments and returns (result, residuals); bwd takes (residuals, g), with the
    cotangent g in the structure of the result, and returns a tuple with a cotangent for each
    argument, None for zero. Arguments whose numbers are in `nondiff_argnums` have no derivative:
    bwd takes them before the residuals. Forward mode and higher orders come from bwd.

    >>> import palingrad as pg
    >>> @pg.custom_vjp
    ... def clipped(x):
    ...     return x
    >>> clipped.defvjp(lambda x: (x, None), lambda res, g: (pg.clip(g, -1, 1),))
    >>> pg.grad(lambda x: 5 * clipped(x))(2.0)
    array(1., dtype=float32)
    """

    transform = "custom_vjp"
    _rules: tuple[Function, Function] | None = None

    def defvjp(self, fwd: Function, bwd: Function) -> None:
        """Set the rule; see the class."""
        check_function("custom_vjp: fwd", fwd)
        check_function("custom_vjp: bwd", bwd)
        self._rules = fwd, bwd

    def _called(self, args: Sequence[Any]) -> Any:
        if self._rules is None:
            raise self._unruled("Give it one: {}.defvjp(fwd, bwd).")
        fwd, bwd = self._rules
        given = _Arguments(args, self.nondiff)
        if not given.moving:
            return called(self.f, *args)
        began = next_serial()
        result = called(fwd, *args)
        if not isinstance(result, tuple) or len(result) != 2:
            raise GradientError("custom_vjp: fwd returns (result, residuals).")
        y, residuals = result
        ys, kept = nodes_of(y), numeric(residuals)
        self._check_arguments(ys, given.nodes, began)
        held = [one for one in kept if isinstance(one, Node)]
        count = len(given.nodes)

        def rule(gs: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> Sequence[Any]:
            static, chosen = given.filled(inputs[:count])
            new = iter(inputs[count:])
            saved = refilled(residuals, [next(new) if isinstance(one, Node) else one
                                         for one in kept])  # fmt: skip
            found = _by_leaf(called(bwd, *static, saved, refilled(y, gs)), chosen)
            return [*given.for_nodes(found), *[None] * len(held)]

        node = RuledBackward(*ys, *given.nodes, *held, results=len(ys), rule=rule)
        return refilled(y, node.items)


def _by_leaf(found: Any, chosen: Sequence[Any]) -> list[Any]:
    """The cotangents that bwd gave for the arguments, for those leaves that have derivatives."""
    if not isinstance(found, (tuple, list)) or len(found) != len(chosen):
        many = len(found) if isinstance(found, (tuple, list)) else type(found).__name__
        raise GradientError(
            f"custom_vjp: bwd returned {many} for {counted(len(chosen), 'argument')}.",
            hint="It returns a tuple with a cotangent for each, None for zero: return (g * x,).",
        )
    result: list[Any] = []
    for c, arg in zip(found, chosen, strict=True):
        given = numeric(arg)
        parts = [None] * len(given) if c is None else numeric(c)
        if len(parts) != len(given):
            raise GradientError(
                f"custom_vjp: bwd returned {len(parts)} arrays for an argument of {len(given)}.",
                hint="A cotangent has the structure of its argument; None is zero for all of it.",
            )
        for part, x in zip(parts, given, strict=True):
            if isinstance(x, Node) and x._differentiable:
                result.append(fitting("custom_vjp: a cotangent of bwd", part, x))
    return result


class custom_jvp(_Custom):
    """A function whose derivative is a rule of forward mode: `f.defjvp(rule)`.

    The rule takes (arguments, tangents), two tuples, and returns (result, tangent of the result),
    which must be linear in the tangents: reverse mode is its transpose. Arguments whose numbers are
    in `nondiff_argnums` have no derivative: the rule takes them first. `f.defjvps(rule, …)` takes a
    rule for each argument instead, from (tangent, result, *arguments), None for zero.

    >>> import palingrad as pg
    >>> @pg.custom_jvp
    ... def log1pexp(x):
    ...     return pg.log(1 + pg.exp(x))
    >>> log1pexp.defjvps(lambda t, y, x: t * (1 - 1 / (1 + pg.exp(x))))
    >>> pg.grad(log1pexp)(100.0)
    array(1., dtype=float32)
    """

    transform = "custom_jvp"
    _rule: Function | None = None

    def defjvp(self, rule: Function) -> None:
        """Set the rule; see the class."""
        check_function("custom_jvp: the rule", rule)
        self._rule = rule

    def defjvps(self, *rules: Function | None) -> None:
        """Set a rule for each argument; see the class."""

        def rule(*given: Any) -> Any:
            *static, args, tangents = given
            y = self.f(*self._whole(static, args))
            terms = [
                one(t, y, *args) for one, t in zip(rules, tangents, strict=True) if one is not None
            ]
            return y, sum(terms[1:], start=terms[0]) if terms else ops.zeros_like(y)

        self._rule = rule

    def _whole(self, static: Sequence[Any], args: Sequence[Any]) -> list[Any]:
        """All arguments, those without derivative among the others."""
        fixed, others = iter(static), iter(args)
        count = len(static) + len(args)
        return [next(fixed if number in self.nondiff else others) for number in range(count)]

    def _called(self, args: Sequence[Any]) -> Any:
        if self._rule is None:
            raise self._unruled("Give it one: {}.defjvp(rule).")
        given = _Arguments(args, self.nondiff)
        if not given.moving:
            return called(self.f, *args)
        began = next_serial()
        y = called(self.f, *args)
        ys = nodes_of(y)
        self._check_arguments(ys, given.nodes, began)

        def rule(ts: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> Sequence[Any]:
            static, primals = given.filled(inputs)
            _, tangents = given.filled(ts)
            tangents = refilled(tangents, [t if isinstance(t, Node) else ops.zeros_like(as_node(t))
                                           for t in numeric(tangents)])  # fmt: skip
            assert self._rule is not None
            found = called(self._rule, *static, tuple(primals), tuple(tangents))
            if not isinstance(found, tuple) or len(found) != 2 or len(numeric(found[1])) != len(ys):
                raise GradientError(
                    "custom_jvp: the rule returns (result, tangent), of one structure."
                )
            return [fitting("custom_jvp: a tangent of the rule", t, x)
                    for t, x in zip(numeric(found[1]), outputs, strict=True)]  # fmt: skip

        node = RuledForward(*ys, *given.nodes, results=len(ys), rule=rule)
        return refilled(y, node.items)


@public
def checkpoint(f: Function) -> Function:
    """The same function, whose intermediate results a derivative computes again instead of keeping
    them: less memory for one more evaluation of f.

    Variables that f reads get their gradients as without it.

    >>> import palingrad as pg
    >>> pg.grad(pg.checkpoint(lambda x: pg.sin(pg.sin(x))))(0.0)
    array(1., dtype=float32)
    """
    check_function("checkpoint", f)

    @wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        given = numeric([args, kwargs])
        xs = [x for x in given if isinstance(x, Node)]
        began = next_serial()
        with graph_scope(OneExample("pg.checkpoint"), hidden=True):
            fed = {x: Placeholder(x.shape, dtype=x.dtype) for x in xs}
            since = next_serial()
            own = refilled(
                [list(args), kwargs], (fed[x] if isinstance(x, Node) else x for x in given)
            )
            y = called(f, *own[0], **own[1])
            ys = nodes_of(y)
        outer = outside(ys, list(fed.values()), since)
        names = [*fed.values(), *outer]

        def computed(inputs: Sequence[Any]) -> list[Any]:
            pairs = zip(names, (Rebuilt(x, mapped=False) for x in inputs), strict=True)
            return [one.node for one in Examples(1, dict(pairs), since, "same").of(ys)]

        def rule(gs: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> Sequence[Any]:
            new = [again(x, gs) for x in inputs]  # nothing is shared with the first time
            results = computed(new)
            wanted = [x for x in new if x._differentiable]
            totals: dict[Node, Any] = {}
            for result, g in zip(results, gs, strict=True):
                if isinstance(result, Node) and is_inexact(result.dtype):
                    for x, c in zip(wanted, gradients(result, wanted, gradient=g), strict=True):
                        totals[x] = c if x not in totals else totals[x] + c
            return [totals.get(x) for x in new]

        inputs = [*fed, *outer]
        results = detached(computed(inputs))
        if not inputs:
            return as_arrays(refilled(y, results), began, bool(xs))
        node = RuledBackward(*results, *inputs, results=len(ys), rule=rule)
        return as_arrays(refilled(y, node.items), began, bool(xs))

    return function
