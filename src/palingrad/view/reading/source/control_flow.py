"""Writes a loop or a branch as the lines of a function: Python's own `for`, `while` or `if`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from ....dtypes import is_boolean
from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.operation import MultipleOutputs, Operation
from ....graph.regions.region import Region
from ....graph.regions.regional import Regional
from ....ops.control.branch import Switch
from ....ops.control.loop import Loop
from ....ops.control.while_loop import WhileLoop
from ....passes.control.loops import merge_loops, prune_loops
from ....passes.expand import without_rules
from ....passes.pipeline import SIMPLIFICATIONS
from ....passes.program import Program
from ....shapes import sizes, text as shape_text
from ...names import is_named, names_of
from .body import Body, Names, Statement, wrapped
from .code import Code, Unwritable, atom, dtype_name, number_text, plain
from .comments import where_built
from .text import WIDTH, Text, bracketed, broken


class Formulas(Protocol):
    """What writes the operations of a region."""

    def codes_of(self, program: Program, codes: dict[int, Code]) -> dict[int, Code]:
        """`codes`, with the Code of the program's constants and operations added."""
        ...

    def constant(self, node: Constant) -> Code:
        """The name of a module-level array."""
        ...

    def taken(self) -> list[str]:
        """The names that the variables of a helper function can't have."""
        ...


def parameter(name: str, x: Node) -> Code:
    """A parameter of a helper function, of the shape and dtype of a node."""
    code = atom(name)
    code.name = name
    code.shape, code.dtype, code.ndim = x.shape, x.dtype, len(x.shape or ())  # pyright: ignore[reportAttributeAccessIssue]
    return code


def typed(x: Node) -> Code:
    """A scalar constant that keeps its dtype in promotion, also the default one."""
    value = x.numpy()
    return atom(f"np.{dtype_name(value.dtype)}({number_text(value[()])})")


class ControlFlow:
    """The function that a Loop, WhileLoop or Switch is written as: it returns a tuple."""

    def __init__(self, node: Regional, formulas: Formulas) -> None:
        self._node, self._formulas = node, formulas
        self._programs = [_simplified(region) for region in node.regions]
        # First, so that no variable gets the name of a function that the regions call.
        self._codes = [
            formulas.codes_of(program, {id(x): parameter("", x) for x in program.feeds})
            for program in self._programs
        ]
        self._names = Names(formulas.taken())
        offset = len(node.inputs) - len(node.regions[0].parameters)  # 1 for a Switch
        chosen = [self._names.new("condition" if _is_boolean(node.inputs[0]) else "index")]
        shown = names_of([*node.regions[0].parameters, *node.inputs])
        pairs = zip(node.regions[0].parameters, node.inputs[offset:], strict=True)
        # The names of the regions' parameters, and those of the function's.
        self._own = [self._names.new(_name(shown, x, outer)) for x, outer in pairs]
        self._inputs = [*chosen[:offset], *self._own]

    def function(self) -> tuple[list[str], list[str]]:
        """The function's parameters, and its lines after the first."""
        node = self._node
        if isinstance(node, Loop):
            about, lines = self._loop(node)
        elif isinstance(node, WhileLoop):
            about, lines = self._while(node)
        elif isinstance(node, Switch):
            about, lines = self._switch(node)
        else:
            raise Unwritable(f"which has no form in Python that {node.kind_name()} names")
        return self._inputs, [*_docstring(about, node), *lines]

    # ---------------------------------------------------------------- the three kinds

    def _loop(self, node: Loop) -> tuple[str, list[str]]:
        (program,), steps = self._programs, node.steps()
        first, last = steps.carries, steps.carries + steps.slices
        read = set(program.order)
        sliced = [k for k in range(first, last) if node.body.parameters[k] in read]
        for k in range(first, last):
            self._own[k] = self._names.new(_singular(self._own[k]))
        step = self._names.new("step") if sliced or len(program.outputs) > first else "_"
        stacks = [self._names.new("ys") for _ in program.outputs[first:]]
        lines = [
            _indented(
                1, f"{name} = np.empty({plain((steps.length, *sizes(y.shape)))}, {_dtype(y)})"
            )
            for name, y in zip(stacks, program.outputs[first:], strict=True)
        ]
        inner, results = self._body(0, 8)
        numbers = f"range({steps.length})"
        numbers = f"reversed({numbers})" if steps.reverse else numbers
        lines.append(_indented(1, f"for {step} in {numbers}:"))
        lines += [_indented(2, f"{self._own[k]} = {self._inputs[k]}[{step}]") for k in sliced]
        lines += inner
        for name, y in zip(stacks, results[first:], strict=True):
            lines += broken(f"{name}[{step}] = ", y, 8)
        lines += self._carried(self._own[:first], results[:first])
        if lines[-1].endswith(":"):
            lines.append(_indented(2, "pass"))
        order = ", from the last row to the first" if steps.reverse else ""
        returned = self._returned([Text(x) for x in (*self._own[:first], *stacks)], 4)
        return f"A loop of {steps.length} steps{order}", [*lines, *returned]

    def _while(self, node: WhileLoop) -> tuple[str, list[str]]:
        count, most = node.count, node.attributes["max_steps"]
        asked, (holds,) = self._body(0, 8)
        inner, results = self._body(1, 8)
        if most is None and not asked:
            lines = broken("while ", holds, 4, ":")
        else:
            head = "while True:" if most is None else f"for _ in range({most}):"
            lines = [_indented(1, head), *asked, *broken("if not ", holds, 8, ":")]
            lines.append(_indented(3, "break"))
        lines += inner
        lines += self._carried(self._own[:count], results)
        if lines[-1].endswith(":"):
            lines.append(_indented(2, "pass"))
        about = "A loop" if most is None else f"A loop of at most {most} steps"
        return about, [*lines, *self._returned([Text(x) for x in self._own[:count]], 4)]

    def _switch(self, node: Switch) -> tuple[str, list[str]]:
        choice = self._inputs[0]
        bodies = [self._body(number, 8) for number in range(len(self._programs))]
        if _is_boolean(node.inputs[0]):
            lines = [_indented(1, f"if {choice}:")]
            for (inner, results), end in zip(reversed(bodies), ("else:", ""), strict=True):
                lines += [*inner, *self._returned(results, 8)]
                lines += [_indented(1, end)] if end else []
            return "One of two branches", lines
        lines: list[str] = []
        for number, (inner, results) in enumerate(bodies):
            lines.append(_indented(1, f"if {choice} == {number}:"))
            lines += [*inner, *self._returned(results, 8)]
        text = f'raise IndexError(f"index {{{choice}}} for {len(bodies)} branches")'
        return f"One of {len(bodies)} branches", [*lines, _indented(1, text)]

    # ---------------------------------------------------------------- parts

    def _body(self, number: int, indent: int) -> tuple[list[str], list[Text]]:
        """The statements of a region, and the texts of its results."""
        program, codes = self._programs[number], self._codes[number]
        texts = {id(codes[id(x)]): name for x, name in zip(program.feeds, self._own, strict=True)}
        results = [self._result(y, codes) for y in program.outputs]
        self._name_all(program, codes, results)
        body = Body(self._names, texts)
        order = [codes[id(x)] for x in program.order if id(x) in codes]
        written = body.write([*order, *results], results)
        return _commented(body.statements, indent), written

    def _result(self, y: Node, codes: dict[int, Code]) -> Code:
        if id(y) in codes:
            return codes[id(y)]
        assert isinstance(y, Constant)
        return typed(y) if y.shape == () else self._formulas.constant(y)

    def _name_all(self, program: Program, codes: dict[int, Code], results: Sequence[Code]) -> None:
        nodes = [node for node in program.order if isinstance(node, Operation)]
        shown = names_of(program.order)
        uses = Counter(id(x) for node in nodes for x in codes[id(node)].operands)
        uses.update(id(code) for code in results)
        wanted = {id(code) for code in results}
        for node in nodes:
            code, name = codes[id(node)], shown[id(node)]
            if (id(code) in wanted and uses[id(code)] > 1) or is_named(node, name):
                code.named = True
            code.name = name if is_named(node, name) else node.kind_name()
            if not isinstance(node, MultipleOutputs) and node.shape:
                code.comment = shape_text(node.shape)
            code.where = where_built(node)

    def _carried(self, names: Sequence[str], results: Sequence[Text]) -> list[str]:
        """The assignment of the next carries, all at once."""
        changed = [(x, y) for x, y in zip(names, results, strict=True) if x != y.flat]
        if not changed:
            return []
        if len(changed) == 1:
            return broken(f"{changed[0][0]} = ", changed[0][1], 8)
        new = bracketed("(", [y for _, y in changed], ")")
        start = ", ".join(x for x, _ in changed) + " = "
        return broken(start, new._replace(flat=new.flat[1:-1]), 8)

    def _returned(self, results: Sequence[Text], indent: int) -> list[str]:
        whole = bracketed("(", results, ")")
        many = whole._replace(flat=whole.flat[1:-1]) if len(results) > 1 else whole
        return broken("return ", many, indent)


def _simplified(region: Region) -> Program:
    program = prune_loops(merge_loops(without_rules(Program(region.parameters, region.results))))
    for rewrite in SIMPLIFICATIONS:
        program = rewrite(program)
    return program


def _name(shown: dict[int, str], x: Node, outer: Node) -> str:
    """A name for a parameter: its own or the input's, which the user gave, or one by its kind."""
    for node in (x, outer):
        if is_named(node, shown[id(node)]) and not isinstance(node, Constant):
            return shown[id(node)]
    return "value"


def _singular(name: str) -> str:
    """The name of a row of an array: x of xs, image_row of image."""
    return name[:-1] if name.endswith("s") and name.rstrip("s") else f"{name}_row"


def _is_boolean(x: Node) -> bool:
    return x.dtype is not None and is_boolean(x.dtype)


def _commented(statements: Sequence[Statement], indent: int) -> list[str]:
    lines: list[str] = []
    where = ""
    for statement in statements:
        if statement.code.where and statement.code.where != where:
            where = statement.code.where
            lines += wrapped(where, " " * indent + "# ")
        lines += statement.lines(indent)
    return lines


def _docstring(about: str, node: Regional) -> list[str]:
    where = where_built(node).split(": ")[0].replace("\\", "\\\\").replace('"', "'")
    text = f'"""{about}, built at {where}."""' if where else f'"""{about}."""'
    if len(text) + 4 <= WIDTH:
        return [_indented(1, text)]
    return [*wrapped(text[:-3], "    ", WIDTH - 10), '    """']


def _indented(level: int, text: str) -> str:
    return "    " * level + text


def _dtype(y: Node) -> str:
    assert y.dtype is not None
    return f"np.{dtype_name(y.dtype)}"
