"""A compiled engine in one file: it compiles a Program to a Python function with fused loops.

It knows no operation by name. Elementwise operations are compiled from their formulas, which are
read as steps: functions of `Maths` on operands of known dtypes. All others run their own formulas.
The target is NumPy on blocks that stay in the CPU's cache. docs/engines.md lists the contracts.
"""

from collections.abc import Iterator, Sequence
from types import FunctionType
from typing import Any

import numpy as np

import palingrad as pg
from palingrad.engines.base import Executable, owned
from palingrad.engines.formulas import Formula, Number, Step, readable
from palingrad.engines.numpy import formula as own_formula
from palingrad.engines.selection import add_engine
from palingrad.maths import numpy_maths
from palingrad.passes.program import Program

MOST_INPUTS = 60  # of a loop; np.nditer takes at most 64 arrays


def inputs_of(nodes: Sequence[pg.Node]) -> list[pg.Node]:
    """The inputs of these nodes that aren't among the nodes themselves."""
    own = set(nodes)
    return [x for x in dict.fromkeys(x for node in nodes for x in node.inputs) if x not in own]


def fused(program: Program, formulas: dict[pg.Node, Formula]) -> dict[pg.Node, list[pg.Node]]:
    """The nodes of each loop, by its last node, the only one whose value is stored.

    A node joins the loop that reads it if no other loop does, so the inputs of a loop never depend
    on its nodes, and if their shapes are equal, so no element is computed twice.
    """
    loops: dict[pg.Node, list[pg.Node]] = {}
    readers: dict[pg.Node, set[pg.Node]] = {root: {root} for root in program.roots}
    for node in reversed(program.order):
        end, *others = readers[node]
        joins = not others and end in loops and node in formulas and node.shape == end.shape
        if not joins or len(inputs_of([node, *loops[end]])) > MOST_INPUTS:
            end = node
        if node in formulas:
            loops[end] = [node, *loops.get(end, ())]
        for x in node.inputs:
            readers.setdefault(x, set()).add(end)
    return loops


class Writer:
    """Writes the source of the function `run`. v3 is the value of node 3, b3 a block of it;
    `objects` holds all other objects that the source names."""

    def __init__(self, program: Program) -> None:
        given = (*program.feeds, *program.reads)
        self.numbers = {x: n for n, x in enumerate(dict.fromkeys([*given, *program.order]))}
        self.objects: dict[str, Any] = {"np": np, "nan": np.nan, "inf": np.inf}  # for numbers
        self.objects |= {"m": numpy_maths, "blocks": blocks}
        self.lines = [f"def run({self.names('v', given)}):"]
        self.formulas = {node: f for node in program.order if (f := readable(node))}
        loops = fused(program, self.formulas)
        for node in program.order:
            name, inputs = self.names("v", [node]), self.names("v", node.inputs)
            if node in loops:
                self.loop(node, loops[node])
            elif isinstance(node, pg.Constant):
                self.objects[name] = node.value
            elif isinstance(node, pg.Operation) and node not in self.formulas:
                self.objects[f"f{name}"] = own_formula(node)
                self.lines.append(f"    {name} = f{name}({inputs})  # {node.kind_name()}")
        values = self.names("v", [value for _, value in program.updates])
        self.lines.append(f"    return [{self.names('v', program.outputs)}], [{values}]")

    def names(self, letter: str, nodes: Sequence[pg.Node]) -> str:
        return ", ".join(f"{letter}{self.numbers[node]}" for node in nodes)

    def loop(self, end: pg.Node, nodes: Sequence[pg.Node]) -> None:
        """Writes one loop over blocks of elements, which computes all of the nodes."""
        read, stored = inputs_of(nodes), self.names("v", [end])
        self.lines += [
            f"    {stored} = np.empty({end.shape}, {str(end.dtype)!r})",
            f"    for {self.names('b', [*read, end])} in blocks({self.names('v', [*read, end])}):",
        ]
        code = {x: self.names("b", [x]) for x in read}
        for node in nodes:
            formula, values = self.formulas[node], [(code[x], x.dtype) for x in node.inputs]
            for number, step in enumerate(formula.steps):
                name = f"{self.names('b', [node])}_{number}"
                self.lines.append(f"        {name} = {applied(step, values)}  # {node.kind_name()}")
                values.append((name, step.result))
            code[node] = operand(formula.result, formula.dtype, values)
        self.lines.append(f"        {self.names('b', [end])}[...] = {code[end]}")


def applied(step: Step, values: Sequence[tuple[str, Any]]) -> str:
    """The source of a step: a call of a function of `m` on operands converted to their dtypes."""
    operands = [operand(x, dtype, values) for x, dtype in step.taken()]
    if step.name == "cast":
        operands.append(repr(str(step.result)))
    return f"m.{step.name}({', '.join(operands)})"


def operand(x: int | Number, dtype: Any, values: Sequence[tuple[str, Any]]) -> str:
    """The source of an operand in `dtype`: a number of the formula, or an earlier value."""
    if isinstance(x, Number):
        return repr(x.value)  # "np.float64(0.5)"
    name, own = values[x]
    return name if own == dtype else f"m.cast({name}, {str(dtype)!r})"


def blocks(*arrays: Any) -> Iterator[Any]:
    """Blocks of the arrays' elements, broadcast to the last array, which is the output."""
    access: Any = [["readonly"]] * (len(arrays) - 1) + [["writeonly"]]
    with np.nditer(arrays, ["external_loop", "buffered", "zerosize_ok"], access) as iterator:
        yield from iterator


class ToyExecutable(Executable):
    """A Program compiled to a Python function."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        writer = Writer(program)
        self.text = "\n".join(writer.lines)
        code = compile(self.text, "<own engine>", "exec").co_consts[0]  # the code object of `run`
        self.run = FunctionType(code, writer.objects)

    def explain(self) -> str:
        return self.text

    @np.errstate(all="ignore")
    def compute(self, feeds: Any, states: Any) -> Any:
        return tuple([owned(x, feeds) for x in values] for values in self.run(*feeds, *states))


class ToyEngine:
    name = "toy"

    def compile(self, program: Program) -> Executable:
        return ToyExecutable(program)


if __name__ == "__main__":
    add_engine(ToyEngine())
    loss = pg.value_and_grad(lambda w, x: pg.sum(pg.tanh(x @ w) ** 2))
    f, w, x = pg.function(loss, engine="toy"), np.array([0.5, 1.5]), np.array([[1.0, 2], [3, -4]])
    print(f.explain(w, x), *f(w, x), sep="\n")
