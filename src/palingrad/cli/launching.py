"""The command launch: several processes on this host."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..processes.launcher import Launch
from .app import Command, app


@app.command(cls=Command)
def launch(
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND…", help="The command of each process.")
    ],
    processes: Annotated[int, typer.Option("--processes", "-n", min=1, help="Number.")] = 2,
    devices_per_process: Annotated[
        int, typer.Option(min=1, help="Devices of each: so many of a CPU, or GPUs.")
    ] = 1,
) -> None:
    """Run a command in several processes that compute together: launch -n 4 -- palingrad train …"""
    sys.exit(Launch(command, processes, devices_per_process).run())
