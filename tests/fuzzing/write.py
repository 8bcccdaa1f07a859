"""A program as Python that runs by itself: `found` by one style, `expected` of eager code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fuzzing.compare import Failure
from fuzzing.formulas import TEXTS
from fuzzing.loops import STEPS, fits_a_body
from fuzzing.program import Array, Call, Leaf, Piece, Program, Role, Value
from fuzzing.run import eager
from palingrad.proof.case import is_float

_WEIGHTED = """\
def weighted(y, shape, dtype):
    weights = np.cos(1.0 + np.arange(np.prod(shape, dtype=int))).reshape(shape)
    return pg.sum(y * weights.astype(dtype))
"""


def report(failure: Failure, seed: int) -> str:
    """What failed, and a program that shows it."""
    head = f"# seed {seed}, {failure.style}: {failure.what}: {failure.detail}"
    return f"{' '.join(head.split())}\n{script(failure.program, failure.style)}"


def script(program: Program, style: str) -> str:
    """Python that runs the program eagerly and in one style, and prints both."""
    names = _names(program)
    given = [leaf for leaf in program.leaves if leaf.role is not Role.CONSTANT]
    lines = ["import numpy as np", "from numpy import inf, nan", "", "import palingrad as pg"]
    lines += sorted({_import(value) for value in program.order if _is_shipped(value)})
    lines += ["", *dict.fromkeys(_texts(program))]
    if program.derivatives:
        lines += [_WEIGHTED]
    lines += [f"{names[leaf]} = {_array(leaf.array)}" for leaf in given]
    lines += ["", f"def f({', '.join(names[leaf] for leaf in given)}):"]
    lines += [f"    {line}" for line in _body(program, names)]
    lines += ["", *_runs(program, style, given, names), "print(found)", "print(expected)"]
    return "\n".join(lines) + "\n"


def _names(program: Program) -> dict[Value, str]:
    leaves = {leaf: f"x{number}" for number, leaf in enumerate(program.leaves)}
    others = [value for value in program.order if value not in leaves]
    return {**leaves, **{value: f"y{number}" for number, value in enumerate(others)}}


def _is_shipped(value: Value) -> bool:
    return isinstance(value, Call) and value.operation not in TEXTS


def _import(value: Any) -> str:
    return f"from {value.operation.__module__} import {value.operation.__name__}"


def _texts(program: Program) -> list[str]:
    calls = [value for value in program.order if isinstance(value, Call)]
    return [TEXTS[call.operation] for call in calls if call.operation in TEXTS]


def _array(array: Array) -> str:
    return f"np.array({_list(array)}, np.{np.dtype(array.dtype).name})".replace("np.bool,", "bool,")


def _list(array: Any) -> str:
    if array.ndim == 0:
        return str(array)
    if not array.size:
        return f"np.zeros({array.shape})"
    return "[" + ", ".join(_list(one) for one in array) + "]"


def _body(program: Program, names: Mapping[Value, str]) -> list[str]:
    lines: list[str] = []
    for value in program.order:
        if isinstance(value, Leaf) and value.role is Role.CONSTANT:
            lines.append(f"{names[value]} = pg.tensor({_array(value.array)})")
        elif isinstance(value, Piece):
            lines.append(f"{names[value]} = {names[value.call]}.items[{value.index}]")
        elif isinstance(value, Call):
            inputs = [names[x] if isinstance(x, Value) else repr(x) for x in value.inputs]
            options = [f"{name}={_option(one)}" for name, one in value.attributes.items()]
            call = f"{value.operation.__name__}({', '.join([*inputs, *options])})"
            lines.append(f"{names[value]} = {call}")
    outputs = [names[value] for value in program.outputs]
    lines.append(f"results = [{', '.join(outputs)}]")
    lines += _derivatives(program, names, outputs)
    for leaf, value in program.updates:
        lines.append(f"results.append({names[leaf]}.assign({names[value]}))")
    return [*lines, "return results"]


def _option(value: Any) -> str:
    return f"np.dtype({value.name!r})" if isinstance(value, np.dtype) else repr(value)


def _derivatives(program: Program, names: Mapping[Value, str], outputs: list[str]) -> list[str]:
    leaves = program.differentiable
    if not program.derivatives or not leaves:
        return []
    wanted = ", ".join(names[leaf] for leaf in leaves)
    ys = [
        (name, node)
        for name, node in zip(outputs, _results(program))
        if node is not None and is_float(node)
    ]
    lines: list[str] = []
    for number in range(program.derivatives if ys else 0):
        terms = [f"weighted({name}, {node.shape}, {node.dtype.name!r})" for name, node in ys]
        lines += [f"g{number} = pg.gradients({' + '.join(terms)}, [{wanted}])"]
        lines += [f"results += g{number}"]
        ys = [(f"g{number}[{place}]", leaf.array) for place, leaf in enumerate(leaves)]
    return lines


def _results(program: Program) -> list[Any]:
    try:
        return list(eager(Program(program.outputs)).arrays)
    except Exception:  # that eager code can't run it is what is shown
        return [None for _ in program.outputs]


def _runs(program: Program, style: str, given: list[Leaf], names: Mapping[Value, str]) -> list[str]:
    def node(leaf: Leaf, fed: str) -> str:
        name = names[leaf]
        return f"pg.Variable({name})" if leaf.role is Role.VARIABLE else fed.format(name)

    how, _, engine = style.partition(" on ")
    lines = [f"pg.set_num_threads({program.threads})"] if program.threads > 1 else []
    if how == "loop" and fits_a_body(program):
        stacks = ", ".join(f"np.stack([{names[leaf]}] * {STEPS})" for leaf in given)
        lines += ["step = lambda carry, rows: (carry + 1, tuple(f(*rows)))"]
        lines += [f"loop = lambda *xs: pg.scan(step, np.int64(0), xs, length={STEPS})[1]"]
        lines += [f"found = pg.function(loop, engine={engine!r})({stacks})"]
        lines += [f"found = [y[{STEPS - 1}] for y in found]"]
    elif how in ("function", "loop"):
        arguments = ", ".join(node(leaf, "{}") for leaf in given)
        lines += [f"found = pg.function(f, engine={engine!r})({arguments})"]
    elif how == "session":
        nodes = [node(leaf, _placeholder(leaf)) for leaf in given]
        feeds = ", ".join(
            f"nodes[{place}]: {names[leaf]}"
            for place, leaf in enumerate(given)
            if leaf.role is Role.PLACEHOLDER
        )
        lines += ["with pg.Graph() as graph:", f"    nodes = [{', '.join(nodes)}]"]
        lines += ["    fetches = f(*nodes)"]
        lines += [f"found = pg.Session(graph, engine={engine!r}).run(fetches, {{{feeds}}})"]
    elif how == "deferred":
        nodes = [_placeholder(leaf) for leaf in given]
        lines += ["with pg.Graph() as graph:", f"    found = f({', '.join(nodes)})"]
    else:
        lines += ["found = None"]  # eager code alone is wrong
    eagerly = ", ".join(node(leaf, "pg.tensor({})") for leaf in given)
    return [*lines, f"expected = [y.numpy() for y in f({eagerly})]"]


def _placeholder(leaf: Leaf) -> str:
    dtype = None if leaf.dtype is None else leaf.dtype.name
    return f"pg.placeholder({leaf.shape}, dtype={dtype!r})"
