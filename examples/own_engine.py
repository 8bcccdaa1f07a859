"""A compiled engine in one file: a Program becomes a Python function, whose loops are fused.

It knows no operation by name. Elementwise ones are compiled from their own formulas, read as steps:
functions of `Maths` on operands of known dtypes. All others run by their formulas. The target is
NumPy on blocks that stay in a CPU's cache. docs/engines.md tells what an engine must keep to.
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

MOST_INPUTS = 60  # of a loop; NumPy's iterator takes 64 arrays


def inputs_of(nodes: Sequence[pg.Node]) -> list[pg.Node]:
    """What these nodes read that isn't one of them."""
    own = set(nodes)
    return [x for x in dict.fromkeys(x for node in nodes for x in node.inputs) if x not in own]


def fused(program: Program, formulas: dict[pg.Node, Formula]) -> dict[pg.Node, list[pg.Node]]:
    """The nodes of each loop, by the last of them, whose value alone is stored.

    A node joins the loop that reads it if nothing else does, so nothing that a loop reads depends
    on what it computes; and if their shapes are the same, so nothing is computed twice.
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
    """Writes the function `run`. v3 is the value of node number 3, b3 a block of its elements;
    `objects` are what else the text names."""

    def __init__(self, program: Program) -> None:
        given = (*program.feeds, *program.reads)
        self.numbers = {x: n for n, x in enumerate(dict.fromkeys([*given, *program.order]))}
        self.objects: dict[str, Any] = {"np": np, "nan": np.nan, "inf": np.inf}  # for numbers
        self.objects |= {"m": numpy_maths, "blocks": blocks}
        self.lines = [f"def run({self.names('v', given)}):"]
        self.formulas = {node: one for node in program.order if (one := readable(node))}
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
        """One loop over blocks of elements that computes all of the nodes."""
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
    """A step as text: a function of `m` on operands in the dtypes that it takes."""
    operands = [operand(x, dtype, values) for x, dtype in step.taken()]
    if step.name == "cast":
        operands.append(repr(str(step.result)))
    return f"m.{step.name}({', '.join(operands)})"


def operand(x: int | Number, dtype: Any, values: Sequence[tuple[str, Any]]) -> str:
    """A number of a formula, or one of its values so far, brought to `dtype`."""
    if isinstance(x, Number):
        return repr(x.value)  # "np.float64(0.5)"
    name, own = values[x]
    return name if own == dtype else f"m.cast({name}, {str(dtype)!r})"


def blocks(*arrays: Any) -> Iterator[Any]:
    """Blocks of the arrays' elements, broadcast to the last, which is written to."""
    access: Any = [["readonly"]] * (len(arrays) - 1) + [["writeonly"]]
    with np.nditer(arrays, ["external_loop", "buffered", "zerosize_ok"], access) as iterator:
        yield from iterator


class ToyExecutable(Executable):
    """A Program as a Python function."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        writer = Writer(program)
        self.text = "\n".join(writer.lines)
        code = compile(self.text, "<own engine>", "exec").co_consts[0]  # of the one function
        self.run = FunctionType(code, writer.objects)

    def explain(self) -> str:
        return self.text

    @np.errstate(all="ignore")
    def compute(self, feeds: Any, states: Any) -> Any:
        return tuple([owned(x, feeds) for x in some] for some in self.run(*feeds, *states))


class ToyEngine:
    name = "toy"

    def compile(self, program: Program) -> Executable:
        return ToyExecutable(program)


if __name__ == "__main__":
    add_engine(ToyEngine())
    loss = pg.value_and_grad(lambda w, x: pg.sum(pg.tanh(x @ w) ** 2))
    f, w, x = pg.function(loss, engine="toy"), np.array([0.5, 1.5]), np.array([[1.0, 2], [3, -4]])
    print(f.explain(w, x), *f(w, x), sep="\n")
