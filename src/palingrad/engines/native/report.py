"""What a compiled program is made of, in words."""

from __future__ import annotations

from typing import Any

from ...passes.program import Program
from ...shapes import text


def explained(program: Program, schedule: Any, slots: Any) -> str:
    """Kernels in the order they run, what was fused into each, buffers and bytes."""
    lines: list[str] = []
    for number, stage in enumerate(schedule.stages):
        for kernel in stage:
            unit = kernel.unit
            names = ", ".join(node.label() for node in unit.nodes)
            shape = text(unit.nodes[-1].shape) if unit.nodes else ""
            lines.append(
                f"{number:>3} {type(unit).__name__:<12} {kernel.chunks:>3} chunks {shape} {names}"
            )
    return "\n".join(lines)
