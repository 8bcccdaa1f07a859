"""From a function and examples to an ONNX graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...dtypes import as_array
from ...errors import OnnxError
from ...graph.leaves import Placeholder, Variable
from ...graph.node import Node
from ...passes.advance_rng import advance_rng
from ...passes.expand import expand
from ...passes.program import Program
from ...passes.stable import stabilise
from ...tracing import trace
from ...trees import leaves
from .program import Translator
from .values import Block, Entry, Value


@dataclass
class Written:
    """The graph of a function: names of its inputs, and of the new values of Variables."""

    block: Block
    inputs: list[str]
    updates: dict[str, str]  # by the names of the Variables
    trainable: list[str]


def variable_names(model: Any, program: Program) -> dict[Variable, str]:
    """The name of each Variable: the one that the model gives it, else its own."""
    found = getattr(model, "variables", None)
    known: Mapping[str, Any] = found() if callable(found) else {}  # pyright: ignore
    names: dict[Variable, str] = {one: name for name, one in known.items()}
    taken = set(names.values())
    for variable in [*program.reads, *(one for one, _ in program.updates)]:
        if variable in names:
            continue
        name = variable.name or "variable"
        number, first = 1, name
        while name in taken:
            number += 1
            name = f"{first}_{number}"
        taken.add(name)
        names[variable] = name
    return names


def written(
    f: Callable[..., Any], arguments: Sequence[Any], opset: int, *, general: bool = False
) -> Written:
    """The graph of f, called with arrays of these shapes and dtypes. With `general` it doesn't
    depend on which sizes happen to be equal."""
    traced = trace(f, tuple(arguments), {})
    program = _advancing(stabilise(traced.program))
    names = variable_names(f, program)
    translator = Translator(opset, general)
    block = translator.m.block
    inputs = _inputs(program.feeds, set(names.values()))
    for placeholder, name in inputs.items():
        block.inputs.append(translator.given(placeholder, name))
    updated = {variable for variable, _ in program.updates}
    for variable in dict.fromkeys([*program.reads, *updated]):
        value = translator.given(variable, names[variable])
        block.constants[value.name] = variable.numpy()
        if variable in updated:
            block.inputs.append(value)
    outputs = _outputs(traced.result, program)
    if not outputs and not program.updates:
        raise OnnxError("onnx.export: the function returns no array.")
    for name, node in outputs:
        _end(translator, block, node, name)
    updates: dict[str, str] = {}
    for variable, node in program.updates:
        updates[names[variable]] = name = f"{names[variable]}.new"
        _end(translator, block, node, name)
    trainable = [names[one] for one in program.reads if one.trainable]
    return Written(block, list(inputs.values()), updates, trainable)


def _advancing(program: Program) -> Program:
    """The program with the steps of the generators that it draws from, also within composites."""
    known = {variable for variable, _ in program.updates}
    steps = advance_rng(expand(program)).updates
    new = tuple(pair for pair in steps if pair[0] not in known)
    return Program(program.feeds, program.outputs, (*program.updates, *new))


def _inputs(feeds: Sequence[Placeholder], taken: set[str]) -> dict[Placeholder, str]:
    names: dict[Placeholder, str] = {}
    for number, x in enumerate(feeds):
        name = x._name or f"x{number}"
        while name in taken:
            name += "_"
        taken.add(name)
        names[x] = name
    return names


def _outputs(result: Any, program: Program) -> list[tuple[str, Node]]:
    """The names of the results: the keys of a dict, else y, or y0, y1, …."""
    nodes = list(program.outputs)
    count = len(leaves(result, dataclasses=True))
    if isinstance(result, dict) and len(result) == count == len(nodes):
        names = [str(key) for key in sorted(result, key=str)]
        by_name = dict(zip(_keys(result), nodes, strict=True))
        return [(name, by_name[name]) for name in names]
    if len(nodes) == 1:
        return [("y", nodes[0])]
    return [(f"y{number}", node) for number, node in enumerate(nodes)]


def _keys(result: Mapping[Any, Any]) -> list[str]:
    return [str(key) for key in result]


def _end(translator: Translator, block: Block, node: Node, name: str) -> None:
    """Makes a node an output of the graph, under this name."""
    m = translator.m
    value = translator.of(node)
    taken = {*(x.name for x in block.inputs), *block.constants}
    while name in taken or any(y.name == name for y in block.outputs):
        name += "_"
    entry = Entry("Identity", (value.name,), (name,), {}, node.label())
    block.entries.append(entry)
    block.outputs.append(Value(m, name, value.shape, value.dtype))


def examples(given: Any) -> tuple[Any, ...]:
    """The arguments of the function, as arrays."""
    arguments = given if isinstance(given, tuple) else (given,)
    return tuple(as_array(x) for x in arguments)  # pyright: ignore
