"""A loop or a branch as a call of `scan`, `while_loop`, `switch` or `cond`, with a function for
each body, which reads what it captures by name, as one that a user writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from ....dtypes import is_boolean
from ....errors import GraphError
from ....graph.node import Node
from ....graph.regions.region import Region
from ....graph.regions.regional import Regional
from ....ops.control.branch import Switch
from ....ops.control.loop import Loop
from ....ops.control.while_loop import WhileLoop


class Module(Protocol):
    """What writes the functions, before the statement that is to call them."""

    def text_of(self, x: Node) -> str:
        """The name or number of a node."""
        ...

    def function_of(
        self, region: Region, called: str, inputs: Sequence[Node], groups: Mapping[str, int],
        results: Sequence[int],
    ) -> str:  # fmt: skip
        """Write a region as a function, and return its name. `inputs` belong to the region's
        parameters. Each argument of the function, by name, is a tuple of so many parameters; the
        others are captured. For `results` see `grouped`."""
        ...


def call_with_bodies(node: Regional, module: Module) -> tuple[Sequence[int], str]:
    """The call that makes the results, as a tuple of tuples of so many names; one number: a tuple
    of names."""
    if isinstance(node, Loop):
        return _scan(node, module)
    if isinstance(node, WhileLoop):
        return _while(node, module)
    if isinstance(node, Switch):
        return _switch(node, module)
    raise GraphError(f"translate: {node.label()}{node.built()} has a body that can't be written.")


def _scan(node: Loop, module: Module) -> tuple[Sequence[int], str]:
    steps, (carries, slices, _) = node.steps(), node.parts
    first = len(carries)
    results = (first, len(node.body.results) - first)
    groups = {"carry": first, "row": len(slices)}
    step = module.function_of(node.body, "step", node.inputs, groups, results)
    parts = [step, packed(map(module.text_of, carries)), packed(map(module.text_of, slices))]
    parts += [] if slices else [f"length={steps.length}"]
    parts += ["reverse=True"] if steps.reverse else []
    parts += ["checkpoint=True"] if node.attributes["checkpoint"] else []
    return results, f"pg.scan({', '.join(parts)})"


def _while(node: WhileLoop, module: Module) -> tuple[Sequence[int], str]:
    count, most = node.count, node.attributes["max_steps"]
    holds, body = node.regions
    parts = [
        module.function_of(holds, "condition", node.inputs, {"carry": count}, (0,)),
        module.function_of(body, "body", node.inputs, {"carry": count}, (count,)),
        packed(map(module.text_of, node.inputs[:count])),
    ]
    parts += [] if most is None else [f"max_steps={most}"]
    return (count,), f"pg.while_loop({', '.join(parts)})"


def _switch(node: Switch, module: Module) -> tuple[Sequence[int], str]:
    choice, *inputs = node.inputs
    names = [
        module.function_of(region, "branch", inputs, {}, (node.count,)) for region in node.regions
    ]
    if is_boolean(choice.dtype):
        otherwise, chosen = names
        return (node.count,), f"pg.cond({module.text_of(choice)}, {chosen}, {otherwise})"
    return (node.count,), f"pg.switch({module.text_of(choice)}, [{', '.join(names)}])"


def packed(parts: Iterable[str]) -> str:
    """A tuple's text."""
    found = list(parts)
    return f"({found[0]},)" if len(found) == 1 else f"({', '.join(found)})"


def grouped(counts: Sequence[int], parts: Sequence[str]) -> str:
    """The parts as a tuple of tuples of so many; one count: as a tuple; (0,): the only part."""
    if counts == (0,):
        return parts[0]
    if len(counts) == 1:
        return packed(parts)
    rows: list[str] = []
    for count in counts:
        rows.append(packed(parts[:count]))
        parts = parts[count:]
    return packed(rows)
