"""A node as Code: its own formula asked for its text, or a helper function called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....errors import GraphError
from ....graph.context import graph_scope
from ....graph.kinds import AnonymousGraph, Composite, Custom, Elementwise
from ....graph.leaves import Constant, Placeholder
from ....graph.node import Node
from ....graph.operation import MultipleOutputs, Operation
from ....maths import numpy_maths
from ....passes.common_subexpressions import common_subexpressions
from ....passes.fold_constants import fold
from ....passes.program import Program
from ....passes.simplify import simplify
from ....shapes import broadcast
from .body import Body, Names, wrapped
from .code import Code, Unwritable, Writer, atom, call, literal, plain
from .copied import Copier
from .data import is_uniform
from .text import WIDTH, Text, broken

_INLINE = 2  # operations up to which a formula stands where it is used


class Formulas:
    """Makes the Code of nodes, and collects the helper functions that this takes."""

    def __init__(self, names: Names, kept: Sequence[Node] = ()) -> None:
        self.copier = Copier(names)
        self._kept = {id(node) for node in kept}  # constants with names, also single numbers
        self.helpers: dict[str, str] = {}  # text of the function by name
        self.constants: list[tuple[str, Constant]] = []
        self._shared: dict[Any, str] = {}  # helpers by what they compute
        self._names = names
        self._by_id: dict[int, str] = {}

    # ---------------------------------------------------------------- nodes

    def code(self, node: Operation, operands: Sequence[Node], codes: dict[int, Code]) -> Code:
        """The node's Code on those of its operands, of which single constants are numbers."""
        given = [self._operand(node, place, codes) for place in range(len(operands))]
        try:
            made = self._made(node, given)
        except Unwritable as error:
            raise GraphError(
                f"source: {node.label()} can't be written with NumPy alone, {error}{node.built()}.",
                hint="Give it a formula f(m, x), or an expand made of operations.",
            ) from None
        if made.atom:  # the node is its operand: stop_gradient, say
            made = Code([made], lambda x: x)
        if not isinstance(node, MultipleOutputs):
            made.shape, made.dtype, made.ndim = node.shape, node.dtype, len(node.shape or ())  # pyright: ignore[reportAttributeAccessIssue]
        return made

    def is_number(self, node: Node) -> bool:
        """Whether the node is a constant that is written as a number where it is used."""
        return isinstance(node, Constant) and node.shape == () and id(node) not in self._kept

    def arrays(self, program: Program) -> set[int]:
        """The constants, by id, that somebody needs as arrays."""
        found = {id(node) for node in program.roots}
        for user in program.order:
            found |= {id(x) for place, x in enumerate(user.inputs) if not self._fills(user, place)}
        return {
            id(node)
            for node in program.order
            if isinstance(node, Constant) and id(node) in found and not self.is_number(node)
        }

    def _operand(self, node: Operation, place: int, codes: dict[int, Code]) -> Code:
        x = node.inputs[place]
        if not self.is_number(x):
            return codes[id(x)] if not self._fills(node, place) else _filled(x)
        others = [one for one in node.inputs if not self.is_number(one)]
        weak = isinstance(node, Elementwise) and any(one.dtype == x.dtype for one in others)
        return literal(x.numpy()[()], x.numpy().dtype, typed=not weak)

    def _fills(self, node: Node, place: int) -> bool:
        """Whether an operand is one number, repeated to a shape that the others have anyway."""
        x = node.inputs[place]
        if not isinstance(node, Elementwise) or not isinstance(x, Constant) or id(x) in self._kept:
            return False
        if not is_uniform(x.numpy()):
            return False
        others = [one for other, one in enumerate(node.inputs) if other != place]
        others = [one for one in others if not isinstance(one, Constant)]
        shapes = [one.shape for one in others if one.shape is not None]
        return broadcast(*shapes) == node.shape and any(one.dtype == x.dtype for one in others)

    def _made(self, node: Operation, given: list[Code]) -> Code:
        if isinstance(node, Composite):
            return self._composite(node, given)
        if isinstance(node, Custom):
            return self._copied(node, given, type(node).compute)
        wanted: list[str] = []
        try:
            found = node.f(Writer(_noted(wanted)), *given, **node.attributes)
            if not isinstance(found, Code):
                raise Unwritable("its formula gives no array")
        except Exception:  # whatever a user's formula raises on what isn't an array
            return self._copied(node, given, type(node).f)
        if _size(found, given) > _INLINE:
            if not isinstance(node, Elementwise):
                return self._copied(node, given, type(node).f)
            return self._traced(node, given)
        for name in wanted:
            self.copier.maths(name)
        return found

    # ---------------------------------------------------------------- helpers

    def _copied(self, node: Operation, given: list[Code], f: Callable[..., Any]) -> Code:
        name = self.copier.function(f, node.kind_name(), _about(node))
        taken = inspect.signature(f).parameters
        options = {key: _option(one) for key, one in node.attributes.items() if key in taken}
        if len(options) < len(node.attributes):
            raise Unwritable("its formula reads attributes of the node")
        return call(name, *given, **options)

    def _traced(self, node: Operation, given: list[Code]) -> Code:
        """A call of a function that holds the node's formula."""
        key = (type(node), _key(node.attributes), tuple(x.dtype for x in node.inputs))
        if key not in self._shared:
            names = _parameters(node.f, len(given))
            stand = [_parameter(name, x) for name, x in zip(names, node.inputs, strict=True)]
            result = node.f(Writer(self.copier.maths), *stand, **node.attributes)
            body = Body(Names(names), {id(x): x.name for x in stand})
            (text,) = body.write([result], [result])
            self._add(key, node, names, body, text)
        return call(self._shared[key], *given)

    def _composite(self, node: Composite, given: list[Code]) -> Code:
        """What the node is made of: where it is used if that is short, else a function."""
        with graph_scope(AnonymousGraph(), hidden=True):
            stand = [Placeholder(x.shape, dtype=x.dtype) for x in node.inputs]
            shadow: Any = node.rebuild(stand)
            program = Program(tuple(stand), (shadow.expansion,))
            for one in (simplify, fold, common_subexpressions) * 2:
                program = one(program)
        order = [one for one in program.order if isinstance(one, Operation)]
        if len(order) <= _INLINE and not any(isinstance(one, Composite) for one in order):
            codes = {id(x): code for x, code in zip(stand, given, strict=True)}
            return self._all(program, codes)[id(program.outputs[0])]
        key = (type(node), _key(node.attributes), tuple((x.shape, x.dtype) for x in node.inputs))
        if key not in self._shared:
            names = _parameters(type(node).expand, len(given))
            codes = {id(x): _parameter(name, x) for name, x in zip(names, stand, strict=True)}
            body = Body(Names(names), {id(codes[id(x)]): codes[id(x)].name for x in stand})
            found = self._all(program, codes)
            result = found[id(program.outputs[0])]
            (text,) = body.write([result], [result])
            self._add(key, node, names, body, text)
        return call(self._shared[key], *given)

    def _all(self, program: Program, codes: dict[int, Code]) -> dict[int, Code]:
        arrays = self.arrays(program)
        for node in program.order:
            if isinstance(node, Operation):
                codes[id(node)] = made = self.code(node, node.inputs, codes)
                made.name = node.kind_name()
            elif isinstance(node, Constant) and id(node) in arrays:
                codes[id(node)] = self.constant(node)
        return codes

    def _add(
        self, key: Any, node: Operation, names: Sequence[str], body: Body, result: Text
    ) -> None:
        """Keep a function; one of the same text under another key is the same."""
        lines = [line for statement in body.statements for line in statement.lines()]
        about = _about(node) + _options(node)
        doc = [f'    """{about}"""']
        if len(doc[0]) > WIDTH:  # two lines at least, or ruff makes it one
            doc = [*wrapped(f'"""{about}', "    ", WIDTH - 10), '    """']
        text = "\n".join([*doc, *lines, *broken("return ", result, 4)])
        for name, other in self.helpers.items():
            if other.split("\n", 1)[1] == text and other.startswith(
                f"def {name}({_joined(names)})"
            ):
                self._shared[key] = name
                return
        name = self._names.new(node.kind_name())
        self._shared[key] = name
        self.helpers[name] = f"def {name}({_joined(names)}):\n{text}"

    def constant(self, node: Constant, name: str = "constant") -> Code:
        """The name of an array that the module holds."""
        if id(node) not in self._by_id:
            title = f"CONSTANT_{len(self.constants) + 1}" if name == "constant" else name
            self._by_id[id(node)] = title
            self.constants.append((title, node))
        made = atom(self._by_id[id(node)])
        made.shape, made.dtype, made.ndim = node.shape, node.dtype, len(node.shape or ())  # pyright: ignore[reportAttributeAccessIssue]
        return made


def _filled(x: Node) -> Code:
    return literal(x.numpy().flat[0], x.numpy().dtype, typed=False)


def _joined(names: Sequence[str]) -> str:
    return ", ".join(names)


def _parameter(name: str, x: Node) -> Code:
    made = atom(name)
    made.name = name
    made.shape, made.dtype, made.ndim = x.shape, x.dtype, len(x.shape or ())  # pyright: ignore[reportAttributeAccessIssue]
    return made


def _option(value: Any) -> Any:
    """An attribute as an argument; a dtype as what formulas ask for its size."""
    return atom(f"np.dtype({plain(value)})") if isinstance(value, np.dtype) else value


def _noted(wanted: list[str]) -> Callable[[str], str]:
    """Takes the names of helpers that a formula asks for, which may come to nothing."""

    def note(name: str) -> str:
        wanted.append(name)
        return getattr(numpy_maths, name).__name__

    return note


def _parameters(f: Callable[..., Any], count: int) -> list[str]:
    """Names for `count` inputs of a rule: those of its own parameters."""
    found = list(inspect.signature(f).parameters.values())[1:]
    names = [one.name for one in found if one.kind is one.POSITIONAL_OR_KEYWORD][:count]
    return [*names, *(f"x{place}" for place in range(len(names), count))]


def _about(node: Operation) -> str:
    """The first paragraph of the class's docstring, which is its mathematics."""
    text = inspect.getdoc(type(node)) or node.kind_name()
    return " ".join(text.split("\n\n")[0].split()).replace("\\", "\\\\").replace('"', "'")


def _options(node: Operation) -> str:
    """The attributes that are written into a helper, for its docstring."""
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
    """How many operations there are between the given expressions and this one."""
    ends = {id(x) for x in given}
    seen: set[int] = set()
    stack = [code]
    while stack:
        one = stack.pop()
        if id(one) not in seen and id(one) not in ends and not one.atom:
            seen.add(id(one))
            stack.extend(one.operands)
    return len(seen)
