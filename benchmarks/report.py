"""The results as text: a line per case while measuring, and the page RESULTS.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contenders import CONTENDERS, PEERS
from task import Case, Task
from tasks import TASKS
from timing import Spread, ratios, spread

INTRODUCTION = """\
# Results

Written by `make bench`, which runs `python benchmarks/run.py --write` in an environment of its own
with the peers installed; `python benchmarks/run.py mlp_small` measures one task.

![How many times faster than the fastest peer](speed.svg)
"""
METHOD = """\
## How it was measured

- Each contender has its own process, which sleeps while others are measured. In each round all
  contenders of a task run one after another; each round begins with another contender. A figure is
  the median over the rounds, with minimum and maximum in brackets; ratios are computed within a
  round.
- All contenders use the same network, initial weights, batches, float32 and Adam(0.001); each step
  returns the loss as a Python number. Before the measurement the losses of the first five steps, or
  a sample of the result, must agree; contenders that disagree are left out.
- Inputs are arrays of each framework's own type, made before the measurement.
- PyTorch: eager with `Adam(fused=True)`, images channels-last, `set_num_threads`; compiled is the
  same with `torch.compile` around network and loss, for inference with `freezing`, for generation
  around the whole step with `cpp_wrapper`, the fastest of its options there. JAX: one `jax.jit`
  with donated state, images channels-last.
- The attention of the transformers is each framework's own: `F.scaled_dot_product_attention`,
  `jax.nn.dot_product_attention`.
- PyTorch and JAX products stay in float32: a shorter format would fail the comparison of results.
- Compile time is the time to build the step and run it once, without the import, in a new process;
  memory is that of the process, including compilation.
- The peaks are those of a loop of independent fused multiply-adds and of a STREAM triad, both
  compiled with LLVM.
"""


def fastest_peer(times: dict[str, list[float]], peers: Sequence[str] = PEERS) -> str | None:
    """The peer with the smallest median time."""
    peers = [name for name in times if name in peers]
    return min(peers, key=lambda name: spread(times[name]).middle, default=None)


def gain(task: Task, times: dict[str, list[float]]) -> Spread | None:
    """The speedup of the task's first contender over the fastest peer."""
    subject, peer = task.contenders[0], fastest_peer(times, task.peers)
    return ratios(times[peer], times[subject]) if peer and subject in times else None


def shortfalls(measured: Sequence[Any]) -> list[str]:
    """A line for each case that misses a goal of its task."""
    lines: list[str] = []
    for one in measured:
        task, times = TASKS[one["task"]], one["times"]
        mine = times.get(task.contenders[0])
        if mine is None:
            continue
        goals = dict(task.goals)
        peer = fastest_peer(times, task.peers)
        if task.goal and peer:
            goals[peer] = max(task.goal, goals.get(peer, 0.0))
        found = [
            f"{ratios(times[name], mine).middle:.2f} × as fast as {name}, to reach ≥ {goal:g}"
            for name, goal in goals.items()
            if name in times and ratios(times[name], mine).middle < goal
        ]
        if task.limit is not None and spread(mine).middle > task.limit:
            found.append(f"{spread(mine).middle:.2f} s, to reach ≤ {task.limit:g} s")
        lines += [f"{one['task']} · {one['case']}: {text}" for text in found]
    return lines


def microseconds(values: list[float]) -> str:
    found = spread([1e6 * value for value in values])
    return format(found, ".2f" if found.middle < 100 else ".0f")


def line(task: Task, one: Any) -> str:
    """The line printed for one case."""
    parts = [f"{name} {microseconds(values)}" for name, values in one.times.items()]
    parts += [f"{name} left out: {reason}" for name, reason in one.left_out.items()]
    found = gain(task, one.times)
    ratio = f" | × {found:.2f}" if found else ""
    return f"{one.task} · {one.case} | µs: {' | '.join(parts)}{ratio} | idle {one.idle:.1%}"


def peak_line(peak: Any) -> str:
    if not peak:
        return "The peaks of the machine are unknown without llvmlite."
    parts = [
        f"{found['gflops']:.0f} GFLOP/s and {found['gbytes']:.0f} GB/s with "
        f"{count} thread{'s' * (count != '1')}"
        for count, found in peak.items()
    ]
    return f"Measured peak: {'; '.join(parts)}."


def page(results: Any) -> str:
    """The whole page as Markdown."""
    parts = [INTRODUCTION]
    parts.append(
        "".join(f"{text}  \n" for text in (*results["machine"], peak_line(results["peak"])))
    )
    parts.append(summary(results))
    for name, task in TASKS.items():
        cases = [one for one in results["measured"] if one["task"] == name]
        if cases:
            parts.append(table(task, cases, results["peak"]))
    if "footprint" in results:
        parts.append(footprint_tables(results["footprint"]))
    idle = max((one["idle"] for one in results["measured"]), default=0.0)
    parts.append(METHOD + f"- A waiting process used at most {idle:.1%} of a core.\n")
    return "\n".join(parts)


def summary(results: Any) -> str:
    """A row for each task with a goal: the smallest and the largest speedup over its cases."""
    lines = [
        "## At a glance",
        "",
        "How many times faster than the fastest peer of the same case, over all cases of a task.",
        "",
        "| task | to reach | measured |",
        "|---|---|---|",
    ]
    for name, task in TASKS.items():
        gains = [gain(task, one["times"]) for one in results["measured"] if one["task"] == name]
        found = sorted(one.middle for one in gains if one)
        if task.goal and found:
            reached = f"{found[0]:.2f}" + (f" to {found[-1]:.2f}" if len(found) > 1 else "")
            goal = f"≥ {task.goal:g}"
            lines.append(f"| {task.title} | {goal} | {reached} |")
    return "\n".join(lines) + "\n"


def table(task: Task, cases: list[Any], peak: Any) -> str:
    """The table of a task: a row for each case, a column for each contender, in µs."""
    names = [name for name in task.contenders if any(name in one["times"] for one in cases)]
    declared = {case.name: case for case in task.cases}
    whole = list(peak.values())[-1] if peak else None
    shares = whole and any(declared[one["case"]].flops for one in cases)
    moves = whole and not shares and any(declared[one["case"]].bytes for one in cases)
    header = ["µs a step", *names, "× the fastest peer"]
    derivative = next((name for name in names if CONTENDERS[name].derivative), None)
    header += ["gradient / value"] * bool(derivative)
    header += ["share of FMA peak"] * bool(shares) + ["share of bandwidth"] * bool(moves)
    rows = [header, ["---"] * len(header)]
    for one in cases:
        times, case = one["times"], declared[one["case"]]
        found = gain(task, times)
        row = [case.name]
        row += [microseconds(times[name]) if name in times else "–" for name in names]
        row.append(f"**{found.middle:.2f}** ({found.low:.2f}–{found.high:.2f})" if found else "")
        subject = times.get(task.contenders[0])
        if derivative:
            known = subject and derivative in times
            row.append(f"{ratios(times[derivative], subject):.2f}" if known else "")
        if whole and shares:
            row.append(share(case, subject, whole["gflops"], case.flops))
        if whole and moves:
            row.append(share(case, subject, whole["gbytes"], case.bytes))
        rows.append(row)
    text = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    notes = {f"{name}: {why}." for one in cases for name, why in one["left_out"].items()}
    left = "\n\nLeft out: " + " ".join(sorted(notes)) if notes else ""
    return f"## {task.title}\n\n{text}{left}\n"


def share(case: Case, values: list[float] | None, per_second: float, amount: float | None) -> str:
    """The fraction of the machine's peak that the task's first contender reaches."""
    if not values or not amount:
        return ""
    return f"{amount / 1e9 / spread(values).middle / per_second:.0%}"


def footprint_tables(found: Any) -> str:
    """The tables of compile time, memory, import time and disk space."""
    parts = ["## Compile time, s", "", "| step | contender | cold | from the cache |",
             "|---|---|---|---|"]  # fmt: skip
    for task, rows in found["compiling"].items():
        parts += [
            f"| {TASKS[task].cases[0].name} | {name} | {one['cold']:.2f} | {one['cached']:.2f} |"
            for name, one in rows.items()
        ]
    parts += ["", "## Resident memory, MB", "", "| training | contender | after import | peak |",
              "|---|---|---|---|"]  # fmt: skip
    for task, rows in found["memory"].items():
        parts += [
            f"| {TASKS[task].cases[0].name} | {name} | {one['imported']:.0f} | {one['peak']:.0f} |"
            for name, one in rows.items()
        ]
    parts += ["", "## Import time, ms", "", "| package | median (fastest–slowest) |",
              "|---|---|"]  # fmt: skip
    for name, one in found["importing"].items():
        values = Spread(*(1e3 * one[key] for key in ("middle", "low", "high")))
        parts.append(f"| {name} | {values:.0f} |")
    parts += [
        "",
        "## Size on disk with all that is needed, MB",
        "",
        "| package | MB |",
        "|---|---|",
    ]
    parts += [f"| {name} | {size:.0f} |" for name, size in found["installed"].items() if size]
    return "\n".join(parts) + "\n"
