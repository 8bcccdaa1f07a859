"""Writes a Program as the text of a module: Variables, one function, and its helper functions."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from ....dtypes import Array
from ....graph.context import level_of
from ....graph.leaves import Constant, Variable
from ....graph.node import Node
from ....graph.operation import MultipleOutputs, Operation
from ....graph.registry import is_shipped, operations
from ....maths import numpy_maths
from ....passes.program import Program
from ....shapes import text as shape_text
from ....trees import leaves
from ....version import __version__
from .body import Body, Names, identifier, wrapped
from .code import Code, atom, literal, plain
from .comments import where_built
from .copied import OWN
from .data import array_lines
from .formula import Formulas
from .text import Text, bracketed, broken

# (number of times that forward code used gradients, order of the derivative)
Stage = tuple[int, int]
_LAST = 10**9


class Gradient(NamedTuple):
    """The target of a gradient node; `times` is 2 for the gradient of a gradient."""

    times: int
    target: Node
    name: str  # of the target, or ""


@dataclass
class Wanted:
    """The input of `Module`: a Program, the structure of its results, and names."""

    program: Program
    result: Any  # a tree whose leaves are the Program's outputs, or values that are no nodes
    name: str
    parameters: Sequence[str]  # the name of each feed
    names: Mapping[int, str] = field(default_factory=dict)  # names of nodes, by id
    gradients: Mapping[int, Gradient] = field(default_factory=dict)  # by the node's id
    held: Any = None  # keeps the targets of gradients alive
    inline: int = 1000  # the largest number of elements of an array listed in the text


class Module:
    """The text of a module, and the arrays that are too large for the text, by name."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._program = wanted.program
        order = wanted.program.order
        kept = [x for x in order if isinstance(x, Constant) and id(x) in wanted.names]
        self.arrays: dict[str, Array] = {}
        self._reserved = _reserved()
        names = Names([*self._reserved, wanted.name])
        self._titles: dict[int, str] = {}  # module names of Variables and constants
        for node in order:
            if isinstance(node, Variable) or any(node is constant for constant in kept):
                self._titles[id(node)] = names.new(wanted.names.get(id(node), "variable"))
        for variable, _ in wanted.program.updates:
            if id(variable) not in self._titles:
                name = wanted.names.get(id(variable), "variable")
                self._titles[id(variable)] = names.new(name)
        local = Names([*self._titles.values(), *self._reserved])
        self._feeds = [local.new(name) for name in wanted.parameters]
        self._helpers = Names([*_words(), wanted.name, *self._titles.values(), *self._feeds])
        self._formulas = Formulas(self._helpers, kept, [*_words(), wanted.name])
        self.text = self._written(kept)

    # ---------------------------------------------------------------- the parts

    def _written(self, kept: Sequence[Constant]) -> str:
        function = self._function()
        state = self._state(kept)
        helpers = [*self._formulas.helpers.values(), *self._formulas.copier.functions.values()]
        tables = list(self._formulas.copier.tables.values())
        parts = ["\n".join([*self._head(), *(["", *state] if state else [])]), "\n".join(function)]
        if helpers:
            rule = "# " + "-" * 64 + " helpers"
            first, *rest = helpers
            parts.append("\n".join([rule, *(["", *tables] if tables else [])]))
            parts += [first, *rest]
        return "\n\n\n".join(parts) + "\n"

    def _head(self) -> list[str]:
        about = f"{self._wanted.name}, written out with NumPy alone by palingrad {__version__}."
        return [f'"""{about}"""', "", "import numpy as np"]

    def _state(self, kept: Sequence[Constant]) -> list[str]:
        lines: list[str] = []
        variables = [x for x in self._program.reads]
        variables += [v for v, _ in self._program.updates if v not in set(variables)]
        groups: list[tuple[str, list[tuple[str, Node]]]] = [
            ("Variables", [(self._titles[id(x)], x) for x in variables]),
            ("constants", [(title, node) for title, node in self._formulas.constants]),
        ]
        for title, nodes in groups:
            if nodes:
                lines += ["# " + "-" * 64 + f" {title}", "# fmt: off"]
                for name, node in nodes:
                    lines += self._array(name, node)
                lines += ["# fmt: on", ""]
        if self.arrays:
            load = 'with np.load(__file__.removesuffix(".py") + ".npz") as file:'
            lines = [
                load,
                "    ARRAYS = dict(file)  # the arrays that are too large to list",
                "",
                *lines,
            ]
        return lines[:-1]

    def _array(self, name: str, node: Node) -> list[str]:
        array = node.numpy()
        lines = array_lines(name, array, self._wanted.inline)
        if lines is None:
            self.arrays[name] = array
            lines = [f'{name} = ARRAYS["{name}"]  # {shape_text(array.shape)}']
        elif len(lines) == 1 and array.ndim and len(lines[0]) < 80:
            lines[0] += f"  # {shape_text(array.shape)}"
        return lines

    # ---------------------------------------------------------------- the function

    def _function(self) -> list[str]:
        program, feeds = self._program, self._feeds
        codes: dict[int, Code] = {}
        for node, name in zip(program.feeds, feeds, strict=True):
            codes[id(node)] = _leaf(name, node)
        arrays = self._formulas.arrays(program)
        for node in program.order:
            if id(node) in self._titles:
                codes[id(node)] = (
                    self._formulas.constant(node, self._titles[id(node)])
                    if isinstance(node, Constant)
                    else _leaf(self._titles[id(node)], node)
                )
            elif isinstance(node, Constant) and id(node) in arrays:
                codes[id(node)] = self._formulas.constant(node)
        stages = _stages(program)
        nodes = [node for node in program.order if isinstance(node, Operation)]
        for node in nodes:
            codes[id(node)] = self._formulas.code(node, node.inputs, codes)
        self._name_all(nodes, codes, stages)
        place = {id(node): number for number, node in enumerate(nodes)}
        nodes.sort(key=lambda node: (stages[id(node)], place[id(node)]))
        body = Body(Names([*self._reserved, *self._helpers]), {})
        body.write([codes[id(node)] for node in nodes], [])
        return self._assembled(feeds, body, codes)

    def _name_all(
        self, nodes: Sequence[Operation], codes: dict[int, Code], stages: Mapping[int, Stage]
    ) -> None:
        wanted, program = self._wanted, self._program
        results = {id(node) for node in program.outputs}
        updated = {id(value): variable for variable, value in program.updates}
        shadows = {(id(node._origin), node.kind_name()): codes[id(node)] for node in nodes}
        seen: set[Any] = set()
        for node in reversed(nodes):  # the last of several nodes with one name gets it
            code = codes[id(node)]
            name: str = wanted.names.get(id(node), "")
            of = wanted.gradients.get(id(node))
            if id(node) in updated and id(node) not in results:
                name = "new_" + self._titles[id(updated[id(node)])]
            elif of is not None and (of.times, id(of.target)) not in seen:
                seen.add((of.times, id(of.target)))
                start = "grad_" * of.times
                known = self._titles.get(id(of.target), of.name)
                name = start + known if known else name
                shadow = shadows.get((id(of.target._origin), of.target.kind_name()))
                if not known and of.times == 1 and shadow is not None and shadow is not code:
                    code.of = shadow
            code.named = bool(name) and name not in seen
            seen.add(name)
            code.name = name or node.kind_name()
            if id(node) in results or id(node) in updated:
                code.named, code.name = True, name or "result"
            code.stage = stages[id(node)]
            if not isinstance(node, MultipleOutputs) and node.shape:
                code.comment = shape_text(node.shape)
            code.where = where_built(node)

    def _assembled(self, feeds: Sequence[str], body: Body, codes: dict[int, Code]) -> list[str]:
        wanted, program = self._wanted, self._program
        lines = ['@np.errstate(all="ignore")', *_signature(wanted.name, feeds)]
        lines += self._docstring(feeds)
        updated = [self._titles[id(variable)] for variable, _ in program.updates]
        if updated:
            lines += _listed("global ", updated)
        stage, where = None, ""
        for statement in body.statements:
            code = statement.code
            if code.stage != stage:
                stage = code.stage
                lines += ["", f"    # {'-' * 60} {_title(stage)}"]
                where = ""
            if code.where and code.where != where:
                where = code.where
                lines += [line for part in where.split("\n") for line in wrapped(part, "    # ")]
            lines += statement.lines()
        text = {id(node): self._result(node, codes, body) for node in program.roots}
        if updated:
            lines += ["", "    # All Variables change together, after the last read."]
            lines += [
                f"    {name} = {text[id(value)].flat}"
                for name, (_, value) in zip(updated, program.updates, strict=True)
            ]
        if leaves(wanted.result):
            lines += broken("return ", _tree(wanted.result, text), 4)
        return lines

    def _result(self, node: Node, codes: dict[int, Code], body: Body) -> Text:
        code = codes.get(id(node))
        if code is None:
            value = node.numpy()
            code = literal(value[()], value.dtype, typed=True)
        return body.texts[id(code)] if id(code) in body.texts else code.write()

    def _docstring(self, feeds: Sequence[str]) -> list[str]:
        program = self._program
        lines = [f'    """One run of {self._wanted.name}.']
        if feeds:
            lines.append("")
        for name, node in zip(feeds, program.feeds, strict=True):
            lines.append(f"    {name}: {node.dtype} {shape_text(node.shape)}")
        if program.updates:
            lines += ["", "    Updates the module's Variables."]
        return [lines[0] + '"""'] if len(lines) == 1 else [*lines, '    """']


def function_name(name: str) -> str:
    """The function's name: `name` as an identifier, prefixed by `run_` if it is reserved."""
    text = identifier(name)
    return f"run_{text}" if text in _reserved() else text


def _reserved() -> set[str]:
    """Names that user values can't have in a module: those with a meaning in every module, and
    those of operations that helper functions may have."""
    known = list(operations.values())
    bases = {op._kind_name for op in known if is_shipped(op) and not op.samples}
    return {*_words(), *({op._kind_name for op in known} - bases)}


@cache
def _words() -> frozenset[str]:
    """The names with a meaning in every module: Python's builtins, NumPy's and those of helpers."""
    return frozenset(
        {*dir(builtins), *dir(numpy_maths), *OWN.values(), "np", "ARRAYS", "file", "size_of"}
    )


def _leaf(name: str, node: Node) -> Code:
    code = atom(name)
    code.shape, code.dtype, code.ndim = node.shape, node.dtype, len(node.shape or ())  # pyright: ignore[reportAttributeAccessIssue]
    return code


def _signature(name: str, feeds: Sequence[str]) -> list[str]:
    parts = [Text(feed) for feed in feeds]
    return broken("", bracketed(f"def {identifier(name)}(", parts, ")", call=True), 0, ":")


def _listed(start: str, names: Sequence[str]) -> list[str]:
    """`global` statements, each at most one line long."""
    lines: list[str] = []
    for name in names:
        if lines and len(lines[-1]) + len(name) + 2 <= 100:
            lines[-1] += f", {name}"
        else:
            lines.append(f"    {start}{name}")
    return lines


def _tree(tree: Any, texts: Mapping[int, Text]) -> Text:
    """A tree of results as a Python expression."""
    if isinstance(tree, Node):
        return texts.get(id(tree), Text("None"))
    if isinstance(tree, dict):
        parts = [_pair(key, _tree(value, texts)) for key, value in tree.items()]
        return bracketed("{", parts, "}")
    if isinstance(tree, (list, tuple)):
        parts = [_tree(item, texts) for item in tree]
        return bracketed("[", parts, "]") if isinstance(tree, list) else bracketed("(", parts, ")")
    return Text(plain(tree))


def _pair(key: Any, value: Text) -> Text:
    start = f"{plain(key)}: "
    return value._replace(flat=start + value.flat, head=start + value.head)


# ---------------------------------------------------------------- sections


def _stages(program: Program) -> dict[int, Stage]:
    """The section of each node, never before the section of an input.

    (0, 0) is the forward pass and (0, n) the n-th derivative; forward code that uses gradients
    starts again at (1, 0). Nodes that only updates use come last.
    """
    stages: dict[int, Stage] = {}
    needed: set[int] = set()
    for node in reversed(program.order):
        marked = level_of(node._origin) > 0
        if marked or id(node) in needed or any(node is output for output in program.outputs):
            needed.update(id(x) for x in (node, *node.inputs))
    last = (_LAST, 0)
    for node in program.order:
        rounds, level = max((stages[id(x)] for x in node.inputs), default=(0, 0))
        own = level_of(node._origin) if node.inputs else 0
        if not node.inputs:
            stages[id(node)] = (0, 0)
        elif id(node) not in needed:
            stages[id(node)] = last
        else:
            stages[id(node)] = (rounds, own) if own >= level else (rounds + 1, own)
    return stages


def _title(stage: Stage) -> str:
    rounds, level = stage
    if level == 0:
        return (
            "forward" if rounds == 0 else "update" if rounds == _LAST else "forward, with gradients"
        )
    return "backward" if level == 1 else f"backward, derivative {level}"
