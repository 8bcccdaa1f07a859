"""What `explain()` says of a Program that XLA runs."""

from __future__ import annotations

from typing import Any

from ...graph.operation import Operation
from .jaxlib import devices, jax


def explained(executable: Any) -> str:
    """The device, what XLA computes and what NumPy does, the costs that XLA estimates."""
    program, trace = executable.program, executable.trace
    nodes = [node for node in program.order if isinstance(node, Operation)]
    device = devices()[0]
    lines = [
        f"xla: {len(nodes)} operations, in one computation on {device.platform}:{device.id} "
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
    for name, text in _costs(executable.compiled):
        lines.append(f"{name}: {text}")
    for node, reason in trace.hosted.items():
        lines.append(f"by NumPy: {node.label()}{node.built()}: {reason}")
    return "\n".join(lines)


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
