"""`translate`: nodes as a module of palingrad's calls, for a session, eager, or as a function.

The operations are the graph's own, one statement each. All styles define one function, whose
parameters are the placeholders and whose results are the nodes that were asked for.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np

from ....dtypes import Array
from ....errors import GraphError
from ....graph.graph import Graph
from ....graph.kinds import Assign, Control, Random
from ....graph.leaves import Placeholder, Variable
from ....graph.node import Node
from ....graph.operation import Item, MultipleOutputs, Operation
from ....graph.regions.region import Region
from ....graph.regions.regional import Regional
from ....graph.traversal.order import postorder
from ....messages.checks import one_of
from ....passes.program import Program
from ....version import __version__
from ...names import names_of
from ..source.body import Names, identifier
from ..source.code import number_text, plain
from ..source.data import array_lines
from ..source.source import Source
from ..source.text import UNARY, Text, broken
from .calls import call_of, number_of
from .control_flow import call_with_bodies, grouped, packed

Style = Literal["session", "eager", "function"]
_STYLES: tuple[str, ...] = get_args(Style)


def translate(what: Any, *, to: Style, name: str = "compute", inline: int = 1000) -> Source:
    """Returns a Python module that builds the same operations with palingrad in another style.

    `what` is a Graph, of which all results are computed, a Program, a node, or several. The module
    defines a function, called `name`, of the placeholders in the order in which they were made (of
    a Program's feeds). `to` says how it computes: "session"
    builds a graph once and runs it, "eager" computes each operation at once, "function" is a
    `pg.function`. Variables are global, and assigned when the run ends. Arrays of more than
    `inline` elements are written to a separate file by `save`. Raises GraphError for random
    numbers, and for an operation that no call of the library makes.

    >>> import palingrad as pg
    >>> with pg.Graph():
    ...     x = pg.Placeholder((2,), dtype="float32", name="x")
    ...     y = pg.sum(x * x, axis=0)
    >>> print(pg.view.translate(y, to="function", name="squares").partition("@")[2].strip())
    pg.function
    def squares(x):
        x = pg.tensor(x, dtype=np.float32)
        multiply = x * x
        y = pg.sum(multiply, axis=0, keepdims=False)
        return y
    """
    one_of("translate: to", to, _STYLES)
    wanted, updates = _wanted(what)
    feeds = what.feeds if isinstance(what, Program) else ()
    return _Module(wanted, updates, to, name, inline, feeds).source()


def _wanted(what: Any) -> tuple[list[Node], list[tuple[Variable, Node]]]:
    """The nodes whose values are results, and a Program's assignments."""
    if isinstance(what, Program):
        return list(what.outputs), [(v, x) for v, x in what.updates]
    if isinstance(what, Graph):
        inner = {x for node in what.nodes for x in node.inputs}
        nodes: list[Any] = [node for node in what.operations if node not in inner]
    else:
        nodes = list(what) if isinstance(what, (list, tuple)) else [what]
    for node in nodes:
        if not isinstance(node, Node):
            raise GraphError(
                f"translate: expected a Graph, a Program or nodes, got {type(node).__name__}.",
                hint="Name one: palingrad translate FILE.py:name --to session.",
            )
    if not nodes:
        raise GraphError("translate: the graph has no operation to compute.")
    return nodes, []


class _Module:
    """The parts of a module."""

    def __init__(
        self, wanted: list[Node], updates: list[tuple[Variable, Node]], to: str, name: str,
        inline: int, feeds: Sequence[Placeholder],
    ) -> None:  # fmt: skip
        self._wanted, self._to, self._inline = wanted, to, inline
        self._order = postorder(*wanted, *[x for _, x in updates], *[v for v, _ in updates])
        _check(self._order, to)
        self._names = Names([*dir(builtins), "np", "pg", "graph", "session", "ARRAYS", "results"])
        taken = name in ("graph", "session")  # what the module itself calls so
        self._name = self._names.new("compute" if taken else identifier(name))
        self._texts: dict[Node, Text] = {}
        self._results: dict[Node, list[str]] = {}  # of loops and branches
        self._updates = [(v, x) for v, x in updates]
        self._imports: set[str] = set()
        self._arrays: dict[str, Array] = {}
        self._top: list[str] = []  # arrays, at the top level
        self._leaves: list[str] = []
        self._feeds: list[str] = []
        self._steps: list[str] = []
        self._shown = names_of(self._order)
        order: dict[Node, int] = {x: number for number, x in enumerate(feeds)}
        leaves = [node for node in self._order if isinstance(node, (Variable, Placeholder))]
        for node in sorted(leaves, key=lambda node: order.get(node, node._serial)):
            self._leaf(node)
        for node in self._order:
            if isinstance(node, Operation):
                self._operation(node)

    # ---------------------------------------------------------------- statements

    def _leaf(self, node: Variable | Placeholder) -> None:
        own = node._name.rstrip("/") if node._name and not node._unnamed else ""
        name = self._named(node)
        called = f", name={plain(own)}" if own else ""
        if isinstance(node, Variable):
            values = self._array(f"{name}_values", node.numpy())
            fixed = "" if node.trainable else ", trainable=False"
            self._leaves.append(f"{name} = pg.Variable({values}{fixed}{called})")
            return
        self._feeds.append(name)
        dtype = "" if node.dtype is None else f", dtype={plain(node.dtype)}"
        if self._to == "session":
            shape = "None" if node.shape is None else plain(node.shape)
            self._leaves.append(f"{name} = pg.Placeholder({shape}{dtype}{called})")
        else:
            self._steps.append(f"{name} = pg.tensor({name}{dtype})")

    def _named(self, node: Node) -> str:
        name = self._names.new(self._shown[id(node)])
        self._texts[node] = Text(name)
        return name

    def _array(self, name: str, array: Array) -> str:
        """The name of an array at the top level."""
        name = self._names.new(name)
        if not hasattr(np, "bool_" if array.dtype == np.bool_ else array.dtype.name):
            raise GraphError(
                f"translate: NumPy has no {array.dtype}, in which {name} is.",
                hint="Cast it to float32 in the file.",
            )
        lines = array_lines(name, array, self._inline)
        if lines is None:
            self._arrays[name] = array
            lines = [f'{name} = ARRAYS["{name}"]']
        self._top += lines
        return name

    def _operation(self, node: Operation) -> None:
        if isinstance(node, Item):
            (whole,), index = node.inputs, node.attributes["index"]
            known = self._results.get(whole)
            self._texts[node] = Text(known[index] if known else f"{self.text_of(whole)}[{index}]")
            return
        if isinstance(node, Assign):
            self._assign(node)
            return
        if isinstance(node, Control) and isinstance(node, MultipleOutputs) and not node.shape:
            self._group(node)
            return
        if isinstance(node, Regional):
            self._control_flow(node)
            return
        literals = [_literal(x) for x in node.inputs]
        names = [self._texts.get(x, Text("")) for x in node.inputs]
        text, read = call_of(node, names, literals, self._imports)
        missing = [node.inputs[n] for n in read if node.inputs[n] not in self._texts]
        if missing:
            for x in missing:
                self._constant(x)
            names = [self._texts.get(x, Text("")) for x in node.inputs]
            text, _ = call_of(node, names, literals, self._imports)
        self._steps += broken(f"{self._named(node)} = ", text, 0)

    def _constant(self, x: Node) -> None:
        name = self._array("constant", np.asarray(x._value))
        self._texts[x] = Text(f"pg.tensor({name})")

    def _text(self, x: Node) -> Text:
        if x not in self._texts:
            self._constant(x)
        return self._texts[x]

    # ---------------------------------------------------------------- control flow

    def _control_flow(self, node: Regional) -> None:
        counts, call = call_with_bodies(node, self)
        name = self._shown[id(node)]
        self._results[node] = [self._names.new(name) for _ in range(node.count)]
        self._steps.append(f"{grouped(counts, self._results[node])} = {call}")

    def text_of(self, x: Node) -> str:
        """The name or number of a node."""
        return self._text(x).flat

    def function_of(
        self, region: Region, called: str, inputs: Sequence[Node], groups: Mapping[str, int],
        results: Sequence[int],
    ) -> str:  # fmt: skip
        """See `control_flow.Module`."""
        self._shown.update(names_of([*region.parameters, *region.order]))
        outer, self._steps = self._steps, []
        own, arguments = list(region.parameters), []
        for argument, count in groups.items():
            names = [self._named(x) for x in own[:count]]
            own = own[count:]
            arguments.append(self._names.new(argument))
            self._steps += [f"{packed(names)} = {arguments[-1]}"] if names else []
        for parameter, x in zip(reversed(own), reversed(inputs), strict=False):
            self._texts[parameter] = self._text(x)
        for node in region.order:
            if isinstance(node, Operation):
                self._operation(node)
        returned = grouped(results, [self.text_of(y) for y in region.results])
        name, body = self._names.new(called), [*self._steps, f"return {returned}"]
        self._steps = [*outer, f"def {name}({', '.join(arguments)}):", *_indented(body)]
        return name

    # ---------------------------------------------------------------- effects

    def _assign(self, node: Operation) -> None:
        variable: Variable = node.attributes["variable"]
        (x,) = node.inputs
        if variable not in self._texts:
            self._leaf(variable)
        if self._to == "session":
            target, value = self._texts[variable].flat, self._text(x).flat
            self._steps.append(f"{self._named(node)} = {target}.assign({value})")
        else:
            self._texts[node] = self._text(x)
            self._updates.append((variable, x))

    def _group(self, node: Operation) -> None:
        if self._to == "session":
            inner = ", ".join(self._text(x).flat for x in node.inputs)
            self._steps.append(f"{self._named(node)} = pg.group({inner})")

    # ---------------------------------------------------------------- the text

    def source(self) -> Source:
        """The module."""
        last = self._session() if self._to == "session" else self._eager()
        about = f"{self._name}, written as {_ARTICLE[self._to]} by palingrad {__version__}."
        parts = [f'"""{about}"""', "", "import numpy as np", "", "import palingrad as pg"]
        parts += ["", *sorted(self._imports)] if self._imports else []
        if self._arrays:
            load = 'with np.load(__file__.removesuffix(".py") + ".npz") as file:'
            parts += ["", load, "    ARRAYS = dict(file)  # the arrays that are too large to list"]
        parts += ["", *self._top] if self._top else []
        source = Source("\n".join([*parts, *last]) + "\n")
        source.arrays = self._arrays
        return source

    def _session(self) -> list[str]:
        steps = [*self._leaves, *self._steps]
        for variable, x in self._updates:  # of a Program
            name = self._names.new("assignment")
            steps.append(f"{name} = {self._texts[variable].flat}.assign({self._text(x).flat})")
            self._wanted.append(x)
            self._texts[x] = Text(name)
        valued = [_has_value(node) for node in self._wanted]
        targets = ", ".join(self._text(node).flat for node in self._wanted)
        fed = [self._names.new(f"{name}_fed") for name in self._feeds]
        feeds = ", ".join(map("{}: {}".format, fed, self._feeds))
        aliases = list(map("{} = {}".format, fed, self._feeds))
        kept = [f"results[{n}]" for n, has in enumerate(valued) if has]
        return [
            "", "graph = pg.Graph()", "with graph:", *_indented(steps or ["pass"]),
            "session = pg.Session(graph)",
            *(["# The parameters have the placeholders' names.", *aliases] if aliases else []),
            "", "", f"def {self._name}({', '.join(self._feeds)}):",
            f"    results = session.run([{targets}], {{{feeds}}})",
            f"    return {_tuple(kept)}",
        ]  # fmt: skip

    def _eager(self) -> list[str]:
        results = [self._text(node).flat for node in self._wanted if _has_value(node)]
        new = [(self._texts[v].flat, self._text(x).flat) for v, x in self._updates]
        assigned = [f"{variable}.assign({value})" for variable, value in new]
        note = ["# All Variables change together, after the last read."] if assigned else []
        decorator = ["@pg.function"] if self._to == "function" else []
        body = [*self._steps, *note, *assigned, f"return {_tuple(results)}"]
        top = ["", *self._leaves] if self._leaves else []
        head = f"def {self._name}({', '.join(self._feeds)}):"
        return [*top, "", "", *decorator, head, *_indented(body)]


_ARTICLE = {"session": "a session", "eager": "eager code", "function": "a pg.function"}


def _check(order: Sequence[Node], to: str) -> None:
    """Raise GraphError for what can't be written in the style."""
    assigned: set[Node] = set()
    for node in order:
        where = f"{node.label()}{node.built()}"
        if isinstance(node, Random):
            raise GraphError(
                f"translate: {where} draws random numbers, whose generator isn't part of the code.",
                hint="Feed them: a placeholder in their place.",
            )
        if isinstance(node, Assign):
            variable = node.attributes["variable"]
            if variable in assigned:
                raise GraphError(f"translate: {variable.label()} is assigned twice in one run.")
            assigned.add(variable)
        plain_group = node.kind_name() in ("group", "gradient")
        if isinstance(node, Control) and not plain_group and to != "session":
            raise GraphError(
                f"translate: {where} orders the parts of a run, which only a session has.",
                hint="Translate it --to session.",
            )


def _has_value(node: Node) -> bool:
    return not isinstance(node, MultipleOutputs)


def _literal(x: Node) -> Text | None:
    number = number_of(x)
    if number is None or isinstance(number, complex):
        return None
    text = number_text(number)
    return Text(text, UNARY) if text.startswith("-") else Text(text)


def _tuple(parts: Sequence[str]) -> str:
    if not parts:
        return "None"
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]
