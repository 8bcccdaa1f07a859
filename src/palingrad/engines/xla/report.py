"""What `explain()` says of a Program that XLA runs."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from ...graph.leaves import Variable
from ...graph.operation import Operation
from ...shapes import text
from .jaxlib import devices, jax

# Operations of XLA's text, not names of their results, which begin with %.
_COLLECTIVE = re.compile(
    r"(?<![%\w.-])(all-reduce|all-gather|reduce-scatter|all-to-all|collective-permute)"
    r"(?:-start)?\("
)


def explained(executable: Any) -> str:
    """The device, what XLA computes and what NumPy does, the costs that XLA estimates."""
    program, trace = executable.program, executable.trace
    nodes = [node for node in program.order if isinstance(node, Operation)]
    device = devices()[0]
    mesh = executable.layout.mesh
    where = f"{device.platform}:{device.id}" if mesh is None else f"{mesh} of {device.platform}"
    lines = [
        f"xla: {len(nodes)} operations, in one computation on {where} "
        f"({device.device_kind}), JAX {jax.__version__}"
    ]
    if trace.mixed is not None:
        lines.append("precision: bfloat16 in products and what is computed from them, float32 in "
                     "sums, parameters and the state of optimizers")  # fmt: skip
    count = len(executable._updated)
    if count:
        how = (
            "their arrays are donated"
            if executable.donates
            else ("not donated, because a run may fail" if executable.may_fail else "not read")
        )
        lines.append(f"Variables on the device: {count} updated, {how}")
    if executable._bounds:
        lines.append(f"integers checked after a run: {len(executable._bounds)}")
    if mesh is not None:
        lines += _spread(executable.layout, executable.compiled)
    for name, cost in _costs(executable.compiled):
        lines.append(f"{name}: {cost}")
    for node, reason in trace.hosted.items():
        lines.append(f"by NumPy: {node.label()}{node.built()}: {reason}")
    return "\n".join(lines)


def _spread(layout: Any, compiled: Any) -> list[str]:
    """How feeds and Variables are cut, the bytes on a device, and what XLA has devices exchange."""
    found = Counter(_COLLECTIVE.findall(compiled.as_text()))
    counts = ", ".join(f"{count} {name}" for name, count in sorted(found.items()))
    lines = [f"collectives: {counts or 'none'}"]
    for x, spec in zip(layout.feeds, layout.feed_specs, strict=True):
        lines.append(f"fed: {x.name} {text(x.shape)}: {_cut(spec)}")
    own: dict[Variable, int] = {one: 0 for one in layout.specs if one._follows is None}
    for one in layout.specs:
        owner = one if one._follows is None else one._follows
        own[owner] = own.get(owner, 0) + layout.bytes_of(one)
    for one, size in own.items():
        spec = layout.specs.get(one, layout.spec_of(one))
        name = layout.names.get(one) or one.name
        lines.append(f"Variable: {name} {text(one._form().shape)}: {_cut(spec)}, {size:,} bytes")
    total = sum(one._form().nbytes for one in layout.specs)
    here = sum(map(layout.bytes_of, layout.specs))
    lines.append(
        f"bytes of Variables, each with what the optimizer keeps of it: {here:,} on a device, "
        f"{total:,} in all"
    )
    return lines


def _cut(spec: Any) -> str:
    if not spec:
        return "whole"
    names = ["·" if one is None else "+".join((one,) if isinstance(one, str) else one)
             for one in spec]  # fmt: skip
    return f"cut over ({', '.join(names)})"


def _costs(compiled: Any) -> list[tuple[str, str]]:
    """XLA's own estimates; some platforms give none."""
    found: list[tuple[str, str]] = []
    cost = compiled.cost_analysis() or {}
    if "flops" in cost:
        found.append(("floating-point operations", f"{cost['flops']:,.0f}"))
    if "bytes accessed" in cost:
        found.append(("bytes accessed", f"{cost['bytes accessed']:,.0f}"))
    memory = compiled.memory_analysis()
    if memory is not None:
        found.append(("temporary memory", f"{memory.temp_size_in_bytes:,} bytes"))
    return found
