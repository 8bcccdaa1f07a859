"""The plot speed.svg: the speedup over the fastest peer, case by case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from report import fastest_peer, gain
from tasks import TASKS
from timing import ratios

INK, SOFT, LINE = "#1f2933", "#8a94a0", "#e4e8ec"
OURS = "#0b7285"
MARKS = {"PyTorch": "s", "PyTorch compiled": "D", "JAX": "^", "NumPy": "v"}


def draw(results: Any, path: Path) -> None:
    """One row for each case that is shown: a dot for the median, a line from the slowest to the
    fastest round; the peers as small marks."""
    import matplotlib.pyplot as plt

    rows = []
    for one in results["measured"]:
        task = TASKS[one["task"]]
        case = next(case for case in task.cases if case.name == one["case"])
        found = gain(task, one["times"])
        if case.shown and found:
            rows.append((task, case, found, one["times"]))
    if not rows:
        return
    plt.rcParams.update({"svg.fonttype": "path", "svg.hashsalt": "palingrad", "font.size": 10})
    figure, axes = plt.subplots(figsize=(9, 0.34 * len(rows) + 1.3))
    for place, (task, _, found, times) in enumerate(rows):
        peer = fastest_peer(times, task.peers)
        assert peer is not None
        for name in task.peers:
            if name in times:
                axes.plot(
                    ratios(times[peer], times[name]).middle, place, MARKS[name], color=SOFT, ms=4.5
                )
        axes.plot([found.low, found.high], [place, place], color=OURS, lw=2.5, alpha=0.45)
        axes.plot(found.middle, place, "o", color=OURS, ms=8)
        if task.goal and task.goal != 1:
            axes.plot(task.goal, place, "|", color=INK, ms=11, mew=1.3)
    for name, mark in MARKS.items():
        axes.plot([], [], mark, color=SOFT, ms=5, ls="", label=name)
    axes.plot([], [], "o", color=OURS, ms=8, ls="", label="palingrad")
    axes.plot([], [], "|", color=INK, ms=11, mew=1.3, ls="", label="to reach")
    axes.axvline(1, color=SOFT, lw=1)
    axes.set_xscale("log")
    ticks = [0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20]
    axes.set_xticks(ticks, [f"{one:g} ×" for one in ticks])
    axes.minorticks_off()
    lows = [min(found.low, *_slowest(task, times)) for task, _, found, times in rows]
    highs = [max(found.high, task.goal or 1) for task, _, found, _ in rows]
    axes.set_xlim(max(min(lows) * 0.9, 0.05), max(highs) * 1.15)
    axes.set_yticks(range(len(rows)), [_label(task, case) for task, case, _, _ in rows])
    axes.invert_yaxis()
    axes.grid(axis="x", color=LINE)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=INK)
    axes.spines[:].set_visible(False)
    axes.set_title("Speed against the fastest peer; more is faster", loc="left", color=INK)
    figure.legend(loc="lower center", ncols=5, frameon=False, labelcolor=INK, fontsize=9)
    figure.tight_layout(rect=(0, 0.35 / figure.get_figheight(), 1, 1))
    figure.savefig(path, facecolor="white", metadata={"Date": None})
    plt.close(figure)


def _slowest(task: Any, times: Any) -> list[float]:
    peer = fastest_peer(times, task.peers)
    assert peer is not None
    return [ratios(times[peer], times[name]).middle for name in task.peers if name in times]


def _label(task: Any, case: Any) -> str:
    title = task.title.removeprefix("Training step of ")
    return f"{title[0].upper()}{title[1:]}: {case.name}"
