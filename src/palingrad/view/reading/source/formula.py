"""Writes a node as Code: its formula traced to an expression, or a call of a helper function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ....errors import GraphError
from ....graph.context import graph_scope
from ....graph.declared.parts import options_of
from ....graph.kinds import AnonymousGraph, Composite, Custom, Elementwise, Reduce
from ....graph.leaves import Constant, Placeholder
from ....graph.node import Node
from ....graph.operation import MultipleOutputs, Operation
from ....graph.regions.key import attribute_key
from ....graph.regions.regional import Regional
from ....maths import numpy_maths
from ....passes.pipeline import SIMPLIFICATIONS
from ....passes.program import Program
from ....shapes import axes_in, broadcast
from .body import Body, Names, wrapped
from .code import Code, Unwritable, Writer, atom, call, literal, plain
from .control_flow import ControlFlow, parameter, typed
from .copied import Copier
from .data import is_uniform
from .text import WIDTH, Text, bracketed, broken

_INLINE = 2  # the largest number of operations of a formula that is written in place


class Formulas:
    """Builds the Code of nodes, and collects the helper functions that it calls."""

    def __init__(self, names: Names, kept: Sequence[Node], words: Iterable[str]) -> None:
        self.copier = Copier(names)
        self._words = frozenset(words)  # names that have a meaning everywhere
        self._kept = {id(node) for node in kept}  # named constants, scalars included
        self.helpers: dict[str, str] = {}  # name of a function → its text
        self.constants: list[tuple[str, Constant]] = []
        self._shared: dict[Any, str] = {}  # what a helper computes → its name
        self._names = names
        self._by_id: dict[int, str] = {}

    # ---------------------------------------------------------------- nodes

    def code(self, node: Operation, operands: Sequence[Node], codes: dict[int, Code]) -> Code:
        """The Code of a node in terms of its operands' Code; scalar constants become literals.

        Raises GraphError if the node can't be written with NumPy alone.
        """
        given = [self._operand(node, place, codes) for place in range(len(operands))]
        try:
            code = self._written(node, given)
        except Unwritable as error:
            raise GraphError(
                f"source: {node.label()} can't be written with NumPy alone, {error}{node.built()}.",
                hint="Give it a formula f(m, x), or an expand made of operations.",
            ) from None
        if code.atom:  # the node equals its operand, as for stop_gradient
            code = Code([code], lambda x: x)
        if not isinstance(node, MultipleOutputs):
            code.shape, code.dtype, code.ndim = node.shape, node.dtype, len(node.shape or ())  # pyright: ignore[reportAttributeAccessIssue]
        return code

    def is_number(self, node: Node) -> bool:
        """Whether the node is a constant that is written as a literal where it is used."""
        return isinstance(node, Constant) and node.shape == () and id(node) not in self._kept

    def arrays(self, program: Program) -> set[int]:
        """The ids of the constants that must be written as arrays."""
        used = {id(node) for node in program.roots}
        for user in program.order:
            used |= {id(x) for place, x in enumerate(user.inputs) if not self._fills(user, place)}
        return {
            id(node)
            for node in program.order
            if isinstance(node, Constant) and id(node) in used and not self.is_number(node)
        }

    def _operand(self, node: Operation, place: int, codes: dict[int, Code]) -> Code:
        x = node.inputs[place]
        if not self.is_number(x):
            return codes[id(x)] if not self._fills(node, place) else _filled(x)
        others = [other for other in node.inputs if not self.is_number(other)]
        if isinstance(node, Regional):  # a Python number would count as weak in the body
            return typed(x)
        weak = isinstance(node, Elementwise) and any(other.dtype == x.dtype for other in others)
        return literal(x.numpy()[()], x.numpy().dtype, typed=not weak)

    def _fills(self, node: Node, place: int) -> bool:
        """Whether an operand is one number repeated, and the other operands broadcast it."""
        x = node.inputs[place]
        if not isinstance(node, Elementwise) or not isinstance(x, Constant) or id(x) in self._kept:
            return False
        if not is_uniform(x.numpy()):
            return False
        others = [other for k, other in enumerate(node.inputs) if k != place]
        others = [other for other in others if not isinstance(other, Constant)]
        shapes = [other.shape for other in others if other.shape is not None]
        same_dtype = any(other.dtype == x.dtype for other in others)
        return broadcast(*shapes) == node.shape and same_dtype

    def _written(self, node: Operation, given: list[Code]) -> Code:
        if isinstance(node, Regional):
            return call(self._control_flow(node), *given)
        if isinstance(node, Composite):
            return self._composite(node, given)
        if isinstance(node, Custom):
            return self._copied(node, given, type(node).compute)
        if isinstance(node, Reduce) and node.by_parts and not node._shipped:
            return self._reduced(node, given)
        helpers: list[str] = []
        try:
            code = node.f(Writer(_collector(helpers)), *given, **node.attributes)
            if not isinstance(code, Code):
                raise Unwritable("its formula returns no array")
        except Exception:  # a user's formula may raise anything when it gets Code
            return self._copied(node, given, type(node).f)
        if _size(code, given) > _INLINE:
            if not isinstance(node, Elementwise):
                return self._copied(node, given, type(node).f)
            return self._traced(node, given)
        for name in helpers:
            self.copier.maths(name)
        return code

    def _reduced(self, node: Reduce, given: list[Code]) -> Code:
        """A user's reduction by its parts, where one of NumPy's functions combines totals."""
        name, options = node.combines_by, options_of(node.attributes)
        if name is None:
            raise Unwritable("it combines by no one function of NumPy's")
        axes = axes_in(node.attributes["axis"], len(node.space))
        m = Writer(self.copier.maths)
        try:
            x = node.prepare(m, *given, **options)
            keepdims = {"keepdims": True} if node.attributes["keepdims"] else {}
            axis = axes[0] if len(axes) == 1 else axes
            total = call(f"np.{name}.reduce", x, axis=axis, **keepdims)
            return node.finish(m, total, node.count, **options)
        except Exception as error:  # whatever a user's formula raises on what isn't an array
            raise Unwritable(f"its parts raise {type(error).__name__}: {error}") from error

    # ---------------------------------------------------------------- helpers

    def _copied(self, node: Operation, given: list[Code], f: Callable[..., Any]) -> Code:
        name = self.copier.function(f, node.kind_name(), _about(node))
        accepted = inspect.signature(f).parameters
        options = {key: _option(a) for key, a in node.attributes.items() if key in accepted}
        if len(options) < len(node.attributes):
            raise Unwritable("its formula reads attributes of the node")
        return call(name, *given, **options)

    def _traced(self, node: Operation, given: list[Code]) -> Code:
        """A call of a helper function that contains the node's formula."""
        key = (type(node), _key(node.attributes), tuple(x.dtype for x in node.inputs))
        if key not in self._shared:
            names = _parameters(node.f, len(given))
            parameters = [parameter(name, x) for name, x in zip(names, node.inputs, strict=True)]
            result = node.f(Writer(self.copier.maths), *parameters, **node.attributes)
            body = Body(Names([*names, *self.taken()]), {id(x): x.name for x in parameters})
            (text,) = body.write([result], [result])
            self._add(key, node, names, body, text)
        return call(self._shared[key], *given)

    def _composite(self, node: Composite, given: list[Code]) -> Code:
        """The node's expansion, written in place if it is short, otherwise as a helper function."""
        with graph_scope(AnonymousGraph(), hidden=True):
            feeds = [Placeholder(x.shape, dtype=x.dtype) for x in node.inputs]
            copy: Any = node.rebuild(feeds)
            program = Program(tuple(feeds), (copy.expansion,))
            for rewrite in SIMPLIFICATIONS:
                program = rewrite(program)
        order = [x for x in program.order if isinstance(x, Operation)]
        if len(order) <= _INLINE and not any(isinstance(x, Composite) for x in order):
            codes = {id(x): code for x, code in zip(feeds, given, strict=True)}
            return self.codes_of(program, codes)[id(program.outputs[0])]
        key = (type(node), _key(node.attributes), tuple((x.shape, x.dtype) for x in node.inputs))
        if key not in self._shared:
            names = _parameters(type(node).expand, len(given))
            codes = {id(x): parameter(name, x) for name, x in zip(names, feeds, strict=True)}
            body = Body(
                Names([*names, *self.taken()]), {id(codes[id(x)]): codes[id(x)].name for x in feeds}
            )
            result = self.codes_of(program, codes)[id(program.outputs[0])]
            (text,) = body.write([result], [result])
            self._add(key, node, names, body, text)
        return call(self._shared[key], *given)

    def _control_flow(self, node: Regional) -> str:
        """The name of the helper function that holds the node's loop or branches."""
        forms = tuple((x.shape, x.dtype) for x in node.inputs)
        key = type(node), attribute_key(node.attributes), forms
        if key not in self._shared:
            names, lines = ControlFlow(node, self).function()
            self._shared[key] = self._function(node, names, "\n".join(lines))
        return self._shared[key]

    def taken(self) -> list[str]:
        """The names that the variables of a helper function can't have."""
        return [*self._words, *self.helpers, *self.copier.functions, *self.copier.tables]

    def codes_of(self, program: Program, codes: dict[int, Code]) -> dict[int, Code]:
        """`codes`, with the Code of the program's constants and operations added."""
        arrays = self.arrays(program)
        for node in program.order:
            if isinstance(node, Operation):
                codes[id(node)] = code = self.code(node, node.inputs, codes)
                code.name = node.kind_name()
            elif isinstance(node, Constant) and id(node) in arrays:
                codes[id(node)] = self.constant(node)
        return codes

    def _add(
        self, key: Any, node: Operation, names: Sequence[str], body: Body, result: Text
    ) -> None:
        """Add a helper function, or reuse one with the same text."""
        lines = [line for statement in body.statements for line in statement.lines()]
        about = _about(node) + _options(node)
        doc = [f'    """{about}"""']
        if len(doc[0]) > WIDTH:  # at least two lines, as ruff would join a single one
            doc = [*wrapped(f'"""{about}', "    ", WIDTH - 10), '    """']
        self._shared[key] = self._function(
            node, names, "\n".join([*doc, *lines, *broken("return ", result, 4)])
        )

    def _function(self, node: Operation, names: Sequence[str], text: str) -> str:
        """The name of a helper function with these parameters and lines: a new one, or one with
        the same text."""
        for name, other in self.helpers.items():
            if other == f"{_signature(name, names)}\n{text}":
                return name
        name = self._names.new(node.kind_name())
        self.helpers[name] = f"{_signature(name, names)}\n{text}"
        return name

    def constant(self, node: Constant, name: str = "constant") -> Code:
        """The name of a module-level array; adds the array on first use."""
        if id(node) not in self._by_id:
            title = f"CONSTANT_{len(self.constants) + 1}" if name == "constant" else name
            self._by_id[id(node)] = title
            self.constants.append((title, node))
        code = atom(self._by_id[id(node)])
        code.shape, code.dtype, code.ndim = node.shape, node.dtype, len(node.shape or ())  # pyright: ignore[reportAttributeAccessIssue]
        return code


def _filled(x: Node) -> Code:
    return literal(x.numpy().flat[0], x.numpy().dtype, typed=False)


def _signature(name: str, parameters: Sequence[str]) -> str:
    texts = [Text(x) for x in parameters]
    return "\n".join(broken("", bracketed(f"def {name}(", texts, ")", call=True), 0, ":"))


def _option(value: Any) -> Any:
    """An attribute as an argument; a dtype becomes a np.dtype object, whose size formulas read."""
    return atom(f"np.dtype({plain(value)})") if isinstance(value, np.dtype) else value


def _collector(names: list[str]) -> Callable[[str], str]:
    """A `helper` for Writer that only collects the names of helper functions."""

    def collect(name: str) -> str:
        names.append(name)
        return getattr(numpy_maths, name).__name__

    return collect


def _parameters(f: Callable[..., Any], count: int) -> list[str]:
    """Names of `count` inputs: the names of the rule's parameters, then x0, x1, …"""
    parameters = list(inspect.signature(f).parameters.values())[1:]
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][:count]
    return [*names, *(f"x{place}" for place in range(len(names), count))]


def _about(node: Operation) -> str:
    """The first paragraph of the class's docstring, which states the mathematics."""
    text = inspect.getdoc(type(node)) or node.kind_name()
    return " ".join(text.split("\n\n")[0].split()).replace("\\", "\\\\").replace('"', "'")


def _options(node: Operation) -> str:
    """The attributes fixed in a helper function, for its docstring."""
    parts = []
    for name, value in node.attributes.items():
        try:
            parts.append(f"{name}={plain(value)}")
        except Unwritable:
            continue
    return f" Here {', '.join(parts)}." if parts else ""


def _key(attributes: Any) -> str:
    return repr(sorted(attributes.items(), key=lambda pair: pair[0]))


def _size(code: Code, given: Sequence[Code]) -> int:
    """The number of operations between the given expressions and this one."""
    ends = {id(x) for x in given}
    seen: set[int] = set()
    stack = [code]
    while stack:
        x = stack.pop()
        if id(x) not in seen and id(x) not in ends and not x.atom:
            seen.add(id(x))
            stack.extend(x.operands)
    return len(seen)
