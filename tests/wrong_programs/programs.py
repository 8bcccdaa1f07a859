"""Wrong programs as data, with what their errors must say and how they are mended.

The files *.txt beside this module hold them, in blocks that an empty line separates:

    @ axis by position                          the mistake
    x = pg.tensor(np.ones((2, 3)))              the program; pg and np are imported
    y = pg.sum(x, 1)  # wrong                   the line that the error must show
    result = y.shape
    ! ArgumentError: sum | by position => axis=1
    > y = pg.sum(x, axis=1)                     what to write instead of that line
    = (2,)                                      then this is `result`

After `!` stand the exception and the texts that its message must contain: first what is wrong,
after `=>` what to write, which must be found in the line behind `>` too, unless it is in
(parentheses). Where the error shows another line than the one to be mended, that is `# shown`.
"""

from __future__ import annotations

import linecache
import os
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import palingrad as pg
from palingrad import cli, errors

MARK, SHOWN = "  # wrong", "  # shown"


@dataclass(frozen=True)
class Wrong:
    """A wrong program, its error, and the line that mends it."""

    mistake: str
    file: str
    lines: tuple[str, ...]
    error: str
    names: tuple[str, ...]
    suggests: tuple[str, ...]
    instead: str
    result: str

    @property
    def number(self) -> int:
        """The number of the line that the error must show."""
        mark = SHOWN if any(line.endswith(SHOWN) for line in self.lines) else MARK
        return next(number for number, line in enumerate(self.lines, 1) if line.endswith(mark))

    @property
    def mended(self) -> str:
        """The program with the wrong line replaced."""
        return "\n".join(self.instead if line.endswith(MARK) else line for line in self.lines)


@dataclass(frozen=True)
class Answer:
    """What a program raised: all that the user reads of it, and the lines of the program in it."""

    error: BaseException
    text: str
    lines: frozenset[int]


class CommandError(Exception):
    """What the command line printed when it failed."""


def _all() -> list[Wrong]:
    folder = Path(__file__).parent
    return [wrong for path in sorted(folder.glob("*.txt")) for wrong in _read(path)]


def _read(path: Path) -> Iterator[Wrong]:
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        lines = block.split("\n")
        parts = {sign: [line[2:] for line in lines if line[:2] == f"{sign} "] for sign in "@!>="}
        code = tuple(line for line in lines if line[:2] not in ("@ ", "! ", "> ", "= "))
        error, _, said = parts["!"][0].partition(": ")
        names, _, suggests = said.partition(" => ")
        yield Wrong(
            parts["@"][0], f"{path.stem}.py", code, error, _texts(names), _texts(suggests),
            "\n".join(parts[">"]), parts["="][0],
        )  # fmt: skip


def _texts(listed: str) -> tuple[str, ...]:
    return tuple(text.strip() for text in listed.split(" | ") if text.strip())


def run(wrong: Wrong, text: str) -> Any:
    """The `result` of a program, whose lines tracebacks can show."""
    name = _name(wrong)
    linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
    names = {"pg": pg, "np": np, "os": os, "Path": Path, "command": command, "__name__": "program"}
    exec(compile(text, name, "exec"), names)
    return names["result"]


def command(line: str) -> int:
    """The status of a command of palingrad that succeeds. Raises CommandError with its output."""
    outcome = CliRunner().invoke(cli.app, line.split(), env={"COLUMNS": "200"})
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        if isinstance(outcome.exception, errors.PalingradError):
            raise CommandError(str(outcome.exception))
        raise outcome.exception
    if outcome.exit_code:
        text = " ".join(re.sub("[│╭╮╰╯─]", " ", outcome.output).split())
        raise CommandError(text.rpartition(" Error ")[2])
    return outcome.exit_code


def answer(wrong: Wrong) -> Answer:
    """What the wrong program raises. Fails if it raises nothing."""
    try:
        given = run(wrong, "\n".join(wrong.lines))
    except BaseException as error:
        shown = _all_that_is_said(error)
        frames = traceback.extract_tb(error.__traceback__)
        last = [frame.lineno for frame in frames if frame.filename == _name(wrong)]
        named = re.findall(rf"{re.escape(_name(wrong))}:(\d+)", shown)
        return Answer(error, shown, frozenset([*filter(None, last), *map(int, named)]))
    return pytest.fail(f"accepted without an error: result = {given!r}")


def _all_that_is_said(error: BaseException) -> str:
    """The exception's text with its notes, and those of the exceptions that caused it."""
    text = ""
    cause: BaseException | None = error
    while cause is not None:
        text += "".join(traceback.format_exception_only(cause))
        cause = cause.__cause__
    return " ".join(text.split())


def _name(wrong: Wrong) -> str:
    return f"{re.sub('[^a-z0-9]+', '_', wrong.mistake.lower())}.py"


PROGRAMS = _all()
