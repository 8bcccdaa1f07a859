"""A fault as a small program that shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array
from ..graph.kinds import Elementwise
from ..graph.operation import MultipleOutputs, Operation
from ..graph.samples import Sample, case as sample_of
from .battery import check_named
from .case import Case
from .checks import Check, Fault, Subject

MOST_ELEMENTS = 24  # that are written out


def shown(fault: Fault, operation: type[Operation], imported: str, engines: Sequence[str]) -> str:
    """A program that fails as the check failed: on one element of each input, if one suffices.

    `imported` are the statements that import the operation.
    """
    name, text = operation.__name__, " ".join(str(fault.error).split())
    lines = [f"# {text}" if text.startswith(f"{name} ") else f"# {name}: {text}"]
    if fault.check == "samples":
        proved = [imported, "from palingrad.proof import prove", "", f"prove({name})"]
        return "\n".join([*lines, *proved])
    check = check_named(fault.check)
    lines.append(f"# {check.meaning}")
    lines += ["import numpy as np", "import palingrad as pg", imported]
    one = None if fault.case is None else _shrunk(fault.case, check, engines)
    order = re.match(r"derivative (\d)", text) if check.name.endswith("_are_slopes") else None
    first = order is not None and order[1] == "1"  # higher orders are those of y(1 + y)
    if one is not None and order and all(map(_is_short, one.arrays())):
        return "\n".join([*lines, "", *_slopes(one, name, int(order[1]), first)])
    options = [f'"{check.name}"']
    if len(engines) == 1:
        options.append(f"engines={list(engines)}")
    if one is not None:
        options.append(f"samples={_samples(one, name)}")
    lines += ["from palingrad.proof import examine", "", f"examine({name}, {', '.join(options)})"]
    return "\n".join(lines)


def _shrunk(case: Case, check: Check, engines: Sequence[str]) -> Case:
    """The case with one element of each input, if the check fails on that too."""
    arrays = case.arrays()
    if not issubclass(case.operation, Elementwise) or not case.sample.smooth:
        return case
    for element in range(min(8, np.broadcast(*arrays).size)):
        rows = [np.array(x.ravel()[element : element + 1]) for x in np.broadcast_arrays(*arrays)]
        smaller = Case(case.operation, sample_of(*rows, **case.sample.attributes))
        if check.fault(Subject([smaller], engines)):
            return smaller
    return case


def _slopes(case: Case, name: str, order: int, first: bool) -> list[str]:
    """A call of `check_gradients`."""
    arrays = case.arrays()
    names = [f"x{place}" for place, _ in enumerate(arrays)] if len(arrays) > 1 else ["x"]
    lines = [f"{x} = {_text(array)}" for x, array in zip(names, arrays, strict=True)]
    inputs = ", ".join(names)
    called = f"{name}({inputs}{_options(case, name)})"
    if issubclass(case.operation, MultipleOutputs):
        called = f"{called}.items" if first else f"[y * (1 + y) for y in {called}.items]"
    elif not first:
        called = f"(y := {called}) * (1 + y)"
    return [*lines, f"pg.check_gradients(lambda {inputs}: {called}, {inputs}, order={order})"]


def _samples(case: Case, name: str) -> str:
    """The source text of a list of the one sample of a case."""
    if case.sample.smooth and all(map(_is_short, case.arrays())) and _literal(case):
        inputs = ", ".join(map(_text, case.arrays()))
        return f"[pg.case({inputs}{_options(case, name)})]"
    place = f"{name}.samples[{_place(case.operation.samples, case.sample)}]"
    if any(one is case.sample for one in case.operation.samples):
        return f"[{place}]"
    return f"[pg.proof.complexes.turned({place})]"


def _place(samples: Any, sample: Sample) -> int:
    """The place of a sample, or of that of which it is the complex version."""
    texts = sample.text, sample.text.removeprefix("complex_")
    return next((n for n, one in enumerate(samples) if one is sample or one.text in texts), 0)


def _options(case: Case, name: str) -> str:
    if not case.sample.attributes:
        return ""
    if _literal(case):
        return "".join(f", {key}={value!r}" for key, value in case.sample.attributes.items())
    return f", **{name}.samples[{_place(case.operation.samples, case.sample)}].attributes"


def _literal(case: Case) -> bool:
    return all(map(_is_literal, case.sample.attributes.values()))


def _is_literal(value: Any) -> bool:
    if isinstance(value, Mapping):
        return False
    try:
        return ast.literal_eval(repr(value)) == value
    except (ValueError, SyntaxError):
        return False


def _is_short(array: Array) -> bool:
    return array.size <= MOST_ELEMENTS


def _text(array: Array) -> str:
    """The source text of an array."""
    if not array.size:
        return f"np.zeros({array.shape}, np.{array.dtype})"
    with np.printoptions(floatmode="unique"):
        text = " ".join(repr(array.tolist()).split())
    text = re.sub(r"\b(nan|inf)\b", r"np.\1", text)
    return f"np.array({text})"
