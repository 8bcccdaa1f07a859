"""The commands check and info."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import data
from ..engines.native.engine import describe
from ..engines.selection import engine_names, get_engine
from ..engines.xla.engine import describe as describe_xla
from ..messages.checks import counted
from ..proof.battery import CHECKS
from ..proof.fault import shown
from ..proof.find import Found, find
from ..proof.report import COLUMNS, QUICK, Report, checked
from ..train.progress import Steps
from ..version import __version__
from .app import Command, Engine, app, console


@app.command(cls=Command)
def check(
    operations: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[OPERATION]...",
            help="Names of operations, file.py, file.py:Class or module:Class; default: all.",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="numpy engine, derivatives of two orders, no ULP.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    engine: Engine = None,
) -> None:
    """Prove operations on their samples: derivatives, dtypes, shapes, engines, accuracy.

    Each fault is printed as a small program that shows it, and the exit status is 1.
    """
    engines = [get_engine(engine).name] if engine else ["numpy"] if quick else engine_names()
    found = find(operations or [])
    reports: list[tuple[Found, Report]] = []
    with Steps(Console(stderr=True), len(found)) as steps:
        for one in found:
            steps.start(one.operation._kind_name)
            reports.append((one, checked(one.operation, engines, QUICK if quick else CHECKS)))
    faults = [(report, fault, one) for one, report in reports for fault in report.faults]
    programs = [shown(fault, one.operation, one.imported, engines) for _, fault, one in faults]
    if as_json:
        listed = [
            {"operation": one.operation._kind_name, "check": fault.check, "program": text}
            for (_, fault, one), text in zip(faults, programs, strict=True)
        ]
        proved = [report.as_json() for _, report in reports]
        print(json.dumps({"engines": list(engines), "operations": proved, "faults": listed}))
    else:
        _print_reports([report for _, report in reports], engines)
        for text in programs:
            console.print(f"\n{text}", highlight=False, markup=False, soft_wrap=True)
    if faults:
        sys.exit(1)


def _print_reports(reports: list[Report], engines: Sequence[str]) -> None:
    measured = [engine for engine in engines if any(engine in one.ulps for one in reports)]
    names = [column.name for column in COLUMNS]
    headings = ["operation", *names, *[f"ULP {engine}" for engine in measured]]
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for one in reports:
        cells = [one.facts.get(name) or Text("fault", style="red") for name in names]
        ulps = [f"{one.ulps[engine]:.1f}" if engine in one.ulps else "" for engine in measured]
        table.add_row(one.operation._kind_name, *cells, *ulps)
    Console(width=max(console.width, 170)).print(table)  # a terminal wraps what is wider
    faulty = sum(bool(one.faults) for one in reports)
    samples = sum(len(one.operation.samples) for one in reports)
    console.print(
        f"{counted(len(reports), 'operation')} on {counted(samples, 'sample')}, "
        f"{'engine' if len(engines) == 1 else 'engines'} {', '.join(engines)}: "
        f"{faulty or 'none'} with faults",
        style="bold",
        highlight=False,
    )


@app.command(cls=Command)
def info() -> None:
    """Show versions, the machine, the engines, the cache and the data sets."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("palingrad", __version__)
    table.add_row("python", platform.python_version())
    table.add_row("numpy", np.__version__)
    table.add_row("machine", f"{platform.machine()}, {os.cpu_count()} cores")
    table.add_row("engines", ", ".join(engine_names()) + f" (selected: {get_engine().name})")
    for name, text in (*describe(), *describe_xla()):
        table.add_row(name, Text(text))  # no markup: it may have [brackets]
    for name in data.names():
        table.add_row(f"data: {name}", Text(data.describe(name)))
    console.print(table)
