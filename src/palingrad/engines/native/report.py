"""The text of `explain()`: kernels, stages, fused operations, memory, work and fallbacks.

FLOPs are those of the mathematics: two for each product that a matrix product or a convolution
sums, one for each element of an elementwise operation, whatever its function, and one for each
element of a reduction's input. Bytes count each place that a kernel reads or writes once, whether
or not it is in a cache.
"""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ...graph.context import level_of
from ...graph.kinds import Custom, Elementwise, Layout, Reduce
from ...graph.node import Node
from ...graph.operation import Item, MultipleOutputs, Operation
from ...graph.regions.regional import Regional
from ...ops.flops import flops
from ...passes.program import Program
from ...shapes import size, sizes, text
from ..threads import get_num_threads
from .control.words import described
from .kernels.control import Control
from .kernels.formula import dtype_of
from .kernels.kernel import Kernel
from .kernels.windowed import KERNELS
from .llvm.strided_view import View
from .llvm.values import supported
from .native_loops import how_run
from .plan.index_checks import is_wrong
from .plan.own_operations import why_not_combined, why_not_read
from .plan.schedule import Schedule, ScheduledKernel

_WIDTH = 100  # columns
_TIED = "\N{NO-BREAK SPACE}"
_NAMES = 180  # characters of a list of nodes' names; further nodes are only counted


def explained(
    program: Program, schedule: Schedule, buffers: Any, cached: bool | None, unkept: str = ""
) -> str:
    """A summary, then the kernels in the order in which they run, with the nodes fused into each.

    `cached`: whether the machine code came from disk, None if there is none; `unkept`: why it isn't
    kept there.
    """
    code = {None: "no machine code", True: "code from the cache", False: "code compiled now"}
    lines = _summary(program, schedule, buffers, code[cached])
    if unkept:
        lines += _wrapped(f"cache: the code isn't kept: {unkept}", " " * 8)
    alike = 0
    for number, stage in enumerate(schedule.stages, 1):
        for kernel in stage:
            if kernel.kernel.is_repetition:
                alike += 1
                continue
            if alike:
                lines.append(f"{'':>4}… {alike} more kernels like the last ones")
                alike = 0
            lead = f"{number:>3} " if kernel is stage[0] else " " * 4
            lines += _described(kernel, schedule, lead)
    return "\n".join(lines)


# ---------------------------------------------------------------- the whole


def _summary(program: Program, schedule: Schedule, buffers: Any, code: str) -> list[str]:
    kernels = [kernel for stage in schedule.stages for kernel in stage]
    threads, parallel = _threads(schedule)
    stages = "1 stage" if len(schedule.stages) == 1 else f"{len(schedule.stages)} stages"
    many = "1 kernel" if len(kernels) == 1 else f"{len(kernels)} kernels"
    on = f"up to {threads} threads in {parallel} of them" if parallel else "one thread"
    results = sum(math.prod(shape) * dtype.itemsize for shape, dtype in buffers.results)
    work = sum(_flops(one.kernel) for one in kernels)
    lines = [
        f"native: {many} in {stages}, {on}; {count(work, 'FLOP')} a run; {code}",
        f"memory: {count(buffers.arena_bytes, 'B')} arena for intermediate values of "
        f"{count(_intermediate(program, schedule), 'B')} in all; results {count(results, 'B')}",
    ]
    if program.updates:
        lines.append(f"state: {_state(program, schedule)}; subnormal numbers count as 0")
    by_numpy = sum(
        not one.kernel.is_native and not isinstance(one.kernel.nodes[0], (Regional, Item))
        for one in kernels
    )
    if by_numpy:
        lines.append(f"numpy: {by_numpy} of the kernels, marked below")
    return [row for line in lines for row in _wrapped(line, " " * 8)]


def _threads(schedule: Schedule) -> tuple[int, int]:
    """(the number of threads that a run may use, the number of stages with work for several)."""
    shared = [
        sum(kernel.chunks for kernel in stage) for stage in schedule.stages if not stage[0].serial
    ]
    most = min(get_num_threads(), max(shared, default=1))
    return most, sum(chunks > 1 for chunks in shared) if most > 1 else 0


def _intermediate(program: Program, schedule: Schedule) -> int:
    """Bytes of all intermediate values, if each had memory of its own."""
    roots = {_base(x, schedule) for x in program.roots}
    inner = [
        node
        for node in program.order
        if isinstance(node, Operation) and node not in roots and _base(node, schedule) is node
    ]
    return sum(map(_bytes, inner))


def _state(program: Program, schedule: Schedule) -> str:
    many = len(program.updates)
    what = f"{many} Variable{'s' if many > 1 else ''}"
    if schedule.updates is not None:
        return f"{what} updated in place"
    return f"{what} updated in new arrays, because {_why_not(program, schedule)}"


def _why_not(program: Program, schedule: Schedule) -> str:
    """The reason why Variables can't be updated in place."""
    if not all(one.kernel.is_native for one in schedule.kernels):
        return "NumPy computes a part of the program"
    if any(isinstance(x.kernel, Control) and x.kernel.lets_signals_in for x in schedule.kernels):
        return "signal handlers run during its loops"
    outputs = {_base(x, schedule) for x in program.outputs}
    for variable, _ in program.updates:
        if variable in outputs:
            return f"the old value of {variable.label()} is a result"
    return "an old value is still needed when its new one is written"


# ---------------------------------------------------------------- one kernel


def _described(one: ScheduledKernel, schedule: Schedule, lead: str) -> list[str]:
    """The lines of one kernel: its form and figures, then the nodes that it computes."""
    kernel = one.kernel
    start = f"{lead}{kernel.label:<14} {kernel.description}"
    if not kernel.is_native:
        (node,) = kernel.nodes
        if isinstance(node, Regional):
            what = f"{node.label()}: {how_run(node)}"
            return _wrapped(f"{lead}{'Control flow':<14} {what}", " " * 19)
        what = f"{_form(node)}: {node.label()}, because {_reason(node, schedule)}"
        return _wrapped(f"{start} {what}", " " * 19)
    if isinstance(kernel, Control):
        first, *inner = described(kernel)
        lines = _wrapped(f"{lead}{kernel.label:<14} {first}", " " * 19)
        return lines + [row for one in inner for row in _wrapped(" " * 19 + one, " " * 23)]
    if kernel.nodes and level_of(kernel.nodes[0]._origin):
        start += ", backward"
    parts = [f"{start} {kernel.space()}"]
    parts.append("one thread" if one.serial else _chunks(one.chunks))
    flops = _flops(kernel)
    if flops:
        parts.append(count(flops, "FLOP"))
    read, written = traffic(kernel, schedule.views)
    parts.append(f"{count(read, 'B')} in")
    parts.append(f"{count(written, 'B')} out")
    numbers = [part.replace(" ", _TIED) for part in parts[1:]]
    lines = _wrapped(", ".join([parts[0], *numbers]), " " * 19)
    names = _names(node.label() for node in kernel.computed)
    over = _over(kernel, schedule)
    if over:
        names += f"; written over {_names(over)}"
    return lines + (_wrapped(" " * 19 + names, " " * 19) if names else [])


def _chunks(number: int) -> str:
    return "1 chunk" if number == 1 else f"{number} chunks"


def _form(node: Node) -> str:
    if isinstance(node, MultipleOutputs):
        return "several values"
    return f"{text(sizes(node.shape))} {node.dtype}"


def _over(kernel: Kernel, schedule: Schedule) -> list[str]:
    """The names of the Variables that the kernel overwrites."""
    alias = {} if schedule.updates is None else schedule.updates.alias
    names = [alias[node].name for node in kernel.live_out if node in alias]
    return names if kernel.overwrites is None else [*names, kernel.overwrites.name]


def _names(labels: Iterable[str]) -> str:
    """The names in order, repeated names with their count. A list that is too long is cut, and ends
    with the number of the remaining names."""
    counted = Counter(labels)
    names: list[str] = []
    space = _NAMES
    for place, (label, times) in enumerate(counted.items()):
        name = label if times == 1 else f"{label} ×{times}"
        space -= len(name) + 2
        if space < 0:
            rest = sum(list(counted.values())[place:])
            return f"{', '.join(names)} and {rest} more"
        names.append(name)
    return ", ".join(names)


def _reason(node: Operation, schedule: Schedule) -> str:
    """The reason why generated code doesn't compute the node."""
    kind = node.kind_name()
    if isinstance(node, Custom):
        return "it is written in Python"
    if isinstance(node, MultipleOutputs):
        return "it has several outputs"
    for x in (node, *node.inputs):
        if not isinstance(x, MultipleOutputs) and not supported(x.dtype):
            return f"generated code doesn't support {x.dtype}"
        if isinstance(x, MultipleOutputs) or (x not in schedule.views and x is not node):
            return f"generated code can't read {x.label()}"
    if type(node) in KERNELS:
        return f"the kernel for {kind} supports one or two spatial axes, of floats"
    if is_wrong(node):
        return "a negative exponent raises an error"
    if isinstance(node, Elementwise) and not node._shipped:
        return why_not_read(node)
    if isinstance(node, Reduce) and not node._shipped:
        return why_not_combined(node)
    if isinstance(node, Elementwise):
        return f"the formula of {kind} calls a function without native code for {node.dtype}"
    if isinstance(node, Layout):
        return f"there is no kernel for this {kind}"
    return f"there is no kernel for {kind}"


# ---------------------------------------------------------------- numbers


def traffic(kernel: Kernel, views: dict[Node, View]) -> tuple[int, int]:
    """(bytes read, bytes written) by one kernel, counting each place once."""
    packed = {x for one in kernel.prerequisites for x in one.reads()}
    read = sum(one.workspace for one in kernel.workspaces)
    for x in kernel.reads():
        if x in views and x not in packed:
            view = views[x]
            seen = math.prod(n for n, step in zip(view.shape, view.strides) if step)
            read += min(seen, size(sizes(view.base.shape))) * dtype_of(view.base).itemsize
    over = kernel.overwrites
    written = kernel.live_out if over is None else (over,)
    return read, kernel.workspace or sum(map(_bytes, written))


def _flops(kernel: Kernel) -> int:
    return 0 if kernel.is_counted_before else sum(map(flops, kernel.computed))


def _bytes(node: Node) -> int:
    if isinstance(node, MultipleOutputs) or node.dtype is None:
        return 0
    return size(sizes(node.shape)) * node.dtype.itemsize


def _base(x: Node, schedule: Schedule) -> Node:
    return schedule.views[x].base if x in schedule.views else x


def count(number: float, unit: str) -> str:
    """A number with three digits and a unit, such as 26.1 MFLOP."""
    for prefix in ("", "k", "M", "G"):
        if number < 999.5:
            return f"{number:.3g} {prefix}{unit}"
        number /= 1000
    return f"{number:.3g} T{unit}"


def _wrapped(line: str, indent: str) -> list[str]:
    start = line[: len(line) - len(line.lstrip())]
    rows = textwrap.wrap(
        line.strip(), _WIDTH, initial_indent=start, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return [row.replace(_TIED, " ") for row in rows]
