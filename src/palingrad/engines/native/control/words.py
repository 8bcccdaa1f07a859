"""Control flow in the words of `explain()`."""

from __future__ import annotations

from ..kernels.control import Control, RegionPlan
from ..kernels.loop.kernel import EndlessInRegisters, in_words


def described(kernel: Control) -> list[str]:
    """How the regions are run, then the same of control flow in them, indented."""
    node, regions = kernel.node, kernel.regions
    if isinstance(kernel, EndlessInRegisters):
        return [f"{node.label()}: {in_words(kernel.plan)}, within the native call, on one thread"]
    steps = node.steps()
    if steps is not None:
        how = f"{steps.length:,} steps of {_kernels(regions[0])}"
    elif node.repeats() is not None:
        how = f"a condition of {_kernels(regions[0])} and a body of {_kernels(regions[1])}"
    else:
        how = f"a choice between {' and '.join(map(_kernels, regions))}"
    threads = "on one thread" if kernel.is_serial else "on the thread pool"
    lines = [f"{node.label()}: {how}, within the native call, {threads}"]
    for region in regions:
        for one in region.kernels:
            if isinstance(one, Control):
                lines += ["  " + line for line in described(one)]
    return lines


def _kernels(region: RegionPlan) -> str:
    count = sum(len(stage) for stage in region.schedule.stages)
    return f"{count} kernel{'' if count == 1 else 's'}"
