"""The command line's application, options that commands share, and how mistakes are answered."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperCommand

from ..errors import PalingradError, WriteError
from ..files.atomic import path_text
from ..files.terminal import SPELLED
from ..messages.checks import nearest
from ..messages.keywords import SYNONYMS
from ..processes import fail
from ..version import __version__

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()


def _print_version(asked: bool) -> None:
    if asked:
        print(f"palingrad {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Computational graphs you can read forwards and backwards."""


DataFolder = Annotated[
    str | None,
    typer.Option("--data", help="Folder with the data set's files; default: PALINGRAD_DATA."),
]
Engine = Annotated[
    str | None,
    typer.Option(help="Engine: numpy, native, auto or xla; default: PALINGRAD_ENGINE, auto."),
]


class Command(TyperCommand):
    """A command that suggests its own option for one of another name, such as --lr."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            given = getattr(error, "option_name", None)  # of an option that doesn't exist
            if given is not None:
                word = given.lstrip("-").replace("-", "_")
                names = {name: name for p in self.params for name in p.opts if name[:2] == "--"}
                meant = [f"--{one.replace('_', '-')}" for one in SYNONYMS.get(word, ())]
                found = [one for one in meant if one in names] or [nearest(given, names)]
                vars(error)["possibilities"] = [one for one in found if one] or sorted(names)
            raise


def main() -> None:
    """Run the command line; palingrad's own errors are printed as one line, without a traceback.

    The exit status is 2 for a mistake in what was asked, 1 if a file or the output can't be
    written.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=SPELLED)
    try:
        app()
    except PalingradError as error:
        unwritten = isinstance(error, WriteError) or isinstance(error.__cause__, WriteError)
        _fail(str(error), 1 if unwritten else 2)
    except OSError as error:  # of standard output, which other packages write to
        place = path_text(error.filename) if error.filename else "standard output"
        with suppress(OSError, ValueError, AttributeError):
            # What is left in the buffer can't be written when Python exits either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(f"{place} can't be used: {error.strerror or error}.", 1)


def _fail(message: str, status: int) -> NoReturn:
    """Print the message, if standard error can be written to, and exit."""
    fail(message, status)
    text = Text.assemble(("error:", "red"), f" {message}")  # no markup: it may have [brackets]
    with suppress(OSError):
        Console(stderr=True).print(text, soft_wrap=True)
    sys.exit(status)
