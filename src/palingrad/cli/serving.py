"""The command that serves a model by HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from ..serving import serve as served
from .app import Command, app, console


@app.command(cls=Command)
def serve(
    folder: Annotated[str, typer.Argument(metavar="RUN", help="Run folder, or saved model.")],
    host: Annotated[
        str, typer.Option(help="Address to listen on; the default is this machine alone.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: a free one.")] = 8000,
    batch: Annotated[
        int, typer.Option(min=1, help="Rows of concurrent requests computed together.")
    ] = 64,
    window: Annotated[
        float, typer.Option(min=0.0, help="Milliseconds to wait for more requests.")
    ] = 0.0,
    body_limit: Annotated[int, typer.Option(min=1, help="Largest body, in MiB.")] = 16,
    seconds: Annotated[float, typer.Option(min=0.001, help="Longest time of an answer.")] = 30.0,
) -> None:
    """Serve a trained model by HTTP, with a page to try it, until Ctrl-C."""

    def ready(address: str) -> None:
        console.print(f"{address} (Ctrl-C ends)", highlight=False, markup=False)

    served(folder, host=host, port=port, batch=batch, window=window / 1000,
           body_limit=body_limit * 2**20, seconds=seconds, ready=ready)  # fmt: skip
    console.print("stopped")
