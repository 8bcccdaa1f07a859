"""`pg.source`: a program as a Python module that imports NumPy only."""

from __future__ import annotations

import html
import inspect
import io
import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ....dtypes import Array
from ....errors import GraphError, printable
from ....files.atomic import write_atomically
from ....files.terminal import for_output
from ....functions import Function
from ....graph.context import find_origin, target_of
from ....graph.graph import Graph
from ....graph.leaves import Constant, Placeholder, Variable
from ....graph.node import Node
from ....graph.operation import MultipleOutputs, Operation
from ....graph.protocols.stand_in import node_of
from ....graph.traversal.order import postorder
from ....ops.elementwise.arithmetic import Positive
from ....ops.random import default_streams_kept
from ....passes.advance_rng import advance_rng
from ....passes.common_subexpressions import common_subexpressions
from ....passes.control.loops import merge_loops, prune_loops
from ....passes.expand import expand, without_rules
from ....passes.fold_constants import fold
from ....passes.program import Program
from ....passes.simplify import simplify
from ....passes.specialise import specialise
from ....passes.stable import stabilise
from ....session import check_keys
from ....tracing import trace
from ....trees import leaves, mapped, rebuilt
from ...names import is_named, names_of
from ...rewriting import PASSES, settled, tidied
from .module import Gradient, Module, Wanted, function_name

_PASSES = (simplify, fold, common_subexpressions, tidied)
# Eager code keeps its constants unfolded, as it was computed, except those of derivatives.
_EAGER = (simplify, *PASSES, common_subexpressions)


class Source(str):
    """The text of a module; `arrays` are the arrays too large for it, which `save` writes too.

    It is a string; notebooks display it with syntax colours.
    """

    arrays: Mapping[str, Array]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the module to `path` (.py), and its large arrays to a .npz file beside it."""
        path = os.fspath(path)
        if not path.endswith(".py"):
            raise GraphError(f"save: expected a path that ends in .py, got {path!r}")
        if self.arrays:  # first, so that the module never lacks them
            content = io.BytesIO()
            np.savez(content, **dict(self.arrays))  # pyright: ignore[reportArgumentType]
            write_atomically(path.removesuffix(".py") + ".npz", content.getvalue())
        write_atomically(path, self)

    def __str__(self) -> str:
        return for_output(self)

    def _repr_markdown_(self) -> str:
        return f"```python\n{self}```"

    def _repr_html_(self) -> str:
        return f"<pre><code>{html.escape(self)}</code></pre>"


def source(
    what: Any, /, *args: Any, name: str | None = None, inline: int = 1000, **kwargs: Any
) -> Source:
    """Returns a commented Python module that computes the same with NumPy alone.

    `what` is a Python function, a `pg.function` or a derivative such as `pg.grad(f)`; then `args`
    and `kwargs` are example arguments, of which only shapes and dtypes matter. Or `what` is nodes,
    then `args` may be the feeds of a run; or a Graph, or a Program. Variables become global
    variables of the module, and updates assign to them. Arrays of more than `inline` elements are
    written to a separate file (see `Source.save`). Raises GraphError for an operation that NumPy
    can't express.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> def energy(x):
    ...     return pg.sum(x**3)
    >>> print(pg.source(pg.grad(energy), np.arange(3.0)))  # doctest: +ELLIPSIS
    \"\"\"energy, written out with NumPy alone by palingrad ...
    """
    caller = find_origin(2)
    what = node_of(what)
    if isinstance(what, (Program, Graph, Node, list, tuple, dict)):
        if len(args) > 1 or kwargs:
            raise GraphError("source: nodes take one more argument, the feeds of a run")
        wanted = _of_nodes(what, args[0] if args else {})
    elif callable(what):
        wanted = _of_function(what, args, kwargs)
    else:
        raise GraphError(
            f"source: expected a function, nodes, a Graph or a Program, got {type(what).__name__} "
            f"{what!r:.60}"
        )
    wanted.inline = inline
    wanted.name = function_name(name or wanted.name)
    wanted.gradients = _gradients(wanted, caller)
    wanted.names = _names(wanted, caller)
    module = Module(wanted)
    text = Source(module.text)
    text.arrays = module.arrays
    return text


# ---------------------------------------------------------------- the program


def _of_function(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Wanted:
    """The Program of a function, traced with example arguments."""
    inner = f._f if isinstance(f, Function) else f
    args, kwargs = tuple(mapped(_as_argument, list(args))), mapped(_as_argument, kwargs)
    with default_streams_kept():  # tracing must not advance the default random streams
        traced = f.trace(*args, **kwargs) if isinstance(f, Function) else trace(inner, args, kwargs)
    names = _argument_names(inner, traced.arguments)
    feeds = [leaf for leaf in leaves(traced.arguments) if type(leaf) is Placeholder]
    outputs = iter(traced.program.outputs)
    result = mapped(
        lambda leaf: _output(leaf, outputs) if isinstance(leaf, Node) else leaf, traced.result
    )
    program = _rewritten(traced.program, _PASSES)
    wanted = Wanted(program, None, _title(f), [names[id(feed)] for feed in feeds])
    wanted.result = _moved(result, traced.program, program)
    wanted.names, wanted.held = names, traced
    return wanted


def _as_argument(leaf: Any) -> Any:
    """An argument for tracing: the value of a tensor, any other leaf unchanged."""
    return leaf.numpy() if isinstance(leaf, Node) and not isinstance(leaf, Variable) else leaf


def _title(f: Any) -> str:
    while isinstance(f, partial):
        f = f.func
    name = getattr(f, "__name__", type(f).__name__)
    return "function" if name == "<lambda>" else name


def _argument_names(f: Any, arguments: list[Any]) -> dict[int, str]:
    """The names of the arguments' leaves, by id: the parameter's name and the position in it."""
    positional, keywords = arguments
    try:
        bound = dict(inspect.signature(f).bind(*positional, **keywords).arguments)
    except (TypeError, ValueError):
        bound = {f"x{place}": value for place, value in enumerate(positional)} | keywords
    names: dict[int, str] = {}
    stack: list[tuple[str, Any]] = list(bound.items())
    while stack:
        name, value = stack.pop()
        if isinstance(value, dict):
            stack += [(str(key), item) for key, item in value.items()]
        elif isinstance(value, (list, tuple)):
            stack += [(f"{name}_{place}", item) for place, item in enumerate(value)]
        elif isinstance(value, Node):
            names[id(value)] = name
    return names


def _of_nodes(what: Any, feeds: Any) -> Wanted:
    """The Program of a run that fetches nodes."""
    if isinstance(what, Program):
        program = _rewritten(what, _PASSES)
        outputs = program.outputs
        result: Any = outputs[0] if len(outputs) == 1 else tuple(outputs)
        return Wanted(program, result if outputs else (), "run", _feed_names(program))
    if isinstance(what, Graph):
        inner = {id(x) for node in what.nodes for x in node.inputs}
        what = [node for node in what.operations if id(node) not in inner]
    nodes = leaves(what)
    for node in nodes:
        if not isinstance(node, Node):
            raise GraphError(f"source: expected nodes, got {type(node).__name__} {node!r:.60}")
    if not isinstance(feeds, Mapping):
        raise GraphError(f"source: expected a dict of feeds, got {feeds!r:.60}")
    check_keys(feeds)
    fed: dict[Placeholder, Any] = {}
    for x in postorder(*nodes):
        if isinstance(x, Placeholder):
            if x in feeds:
                array = x.accept(feeds[x])
                fed[x] = (array.shape, array.dtype)
            else:
                fed[x] = _signature(x)
    before = specialise(nodes, fed)
    eager = all(not node.deferred for node in nodes)
    program = _rewritten(before, _EAGER if eager else _PASSES)
    outputs = iter(before.outputs)
    result = rebuilt(what, (_output(node, outputs) for node in nodes))
    name = names_of(nodes)[id(nodes[0])] if len(nodes) == 1 else "run"
    name = name if len(nodes) == 1 and is_named(nodes[0], name) else "run"
    wanted = Wanted(program, _moved(result, before, program), name, _feed_names(program, fed))
    wanted.held = before
    return wanted


def _signature(x: Placeholder) -> tuple[Any, Any]:
    if x.shape is None or None in x.shape or x.dtype is None:
        raise GraphError(
            f"source: shape and dtype of {x.label()} aren't known{x.built()}.",
            hint="Give feeds, as for a run: pg.source(node, {x: array}).",
        )
    return x.shape, x.dtype


def _output(node: Node, outputs: Any) -> Any:
    """The next output of the Program; None for a node with several outputs, which has no value."""
    return None if isinstance(node, MultipleOutputs) else next(outputs)


def _feed_names(program: Program, originals: Sequence[Node] | Any = ()) -> list[str]:
    nodes = list(originals) or list(program.feeds)
    names = names_of(nodes)
    return [names[id(node)] for node in nodes]


def _rewritten(program: Program, passes: Sequence[Any]) -> Program:
    """The program after these passes; it also advances random generators, except for eager code."""
    program = prune_loops(merge_loops(without_rules(program)))
    if passes is not _EAGER:
        moving = advance_rng(expand(program)).updates[len(program.updates) :]
        program = Program(program.feeds, program.outputs, (*program.updates, *moving))
        program = stabilise(program)
    return settled(program, passes)


def _moved(result: Any, before: Program, after: Program) -> Any:
    """The tree of results, with each output replaced by its rewritten node."""
    new = {id(a): b for a, b in zip(before.outputs, after.outputs, strict=True)}
    return mapped(lambda leaf: new.get(id(leaf), leaf) if isinstance(leaf, Node) else leaf, result)


# ---------------------------------------------------------------- names


def _names(wanted: Wanted, caller: Any) -> dict[int, str]:
    """The names of named nodes, by id: those of the user's code, Variables and parameters."""
    program = wanted.program
    order = [*program.order]
    order += [variable for variable, _ in program.updates if variable not in set(order)]
    shown = names_of(order)
    names: dict[int, str] = {}
    for node in order:
        name = shown[id(node)]
        if (
            is_named(node, name)
            and not _built_at(node, caller)
            and not isinstance(node, Placeholder)
        ):
            if not (isinstance(node, Constant) and node.scalar is not None):
                names[id(node)] = name
    for node in order:
        if isinstance(node, Variable):
            full = printable(node._name) if node._name and not node._unnamed else ""
            names[id(node)] = full or names.get(id(node), "variable")
    for node, name in zip(program.feeds, wanted.parameters, strict=True):
        names[id(node)] = name
    return names


def _gradients(wanted: Wanted, caller: Any) -> dict[int, Gradient]:
    """The target of each gradient node, by id; also for gradients of gradients."""
    gradients: dict[int, Gradient] = {}
    targets = _targets(wanted.program.order)
    named = names_of(list(targets.values()))
    for node in wanted.program.order:
        times, target = 0, target_of(node._origin) if isinstance(node, Operation) else None
        while target is not None:
            times += 1
            while type(target) is Positive and _built_at(target, caller):
                target = target.inputs[0]  # `grad` differentiates a copy of the argument
            name = named.get(id(target)) or names_of([target])[id(target)]
            known = is_named(target, name) and not _built_at(target, caller)
            name = wanted.names.get(id(target), name if known else "")
            gradients[id(node)] = Gradient(times, target, name)
            target = target_of(target._origin)
    return gradients


def _built_at(node: Node, caller: Any) -> bool:
    """Whether the node was built by the instruction that called `source`."""
    return caller is not None and node._origin is not None and node._origin[:2] == caller[:2]


def _targets(order: Sequence[Node]) -> dict[int, Node]:
    """All targets of gradient nodes in `order`, by id; also of gradients of gradients."""
    targets: dict[int, Node] = {}
    stack = list(order)
    while stack:
        target = target_of(stack.pop()._origin)
        if target is not None and id(target) not in targets:
            targets[id(target)] = target
            stack.append(target)
    return targets
