"""`pg.lesson`: a page that asks for derivatives, and its sheet for print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ...files.atomic import write_atomically
from ...graph.node import Node
from ...messages.calls import public
from ...messages.checks import flag
from ..page.show import Page, Theme
from .assemble import page
from .export import Exported
from .sheet import sheet


class Lesson(Page):
    """A lesson: notebooks display it, `save` writes its page, `sheet` a PDF to print."""

    def __init__(self, exported: Exported, theme: Theme) -> None:
        self._exported = exported
        super().__init__(page(exported.lesson(), theme))

    @cached_property
    def questions(self) -> tuple[str, ...]:
        """What is asked, in order."""
        return tuple(question.title for question in self._exported.questions)

    def sheet(self, path: Any, *, key: bool = True) -> Path:
        """Write the questions with room for answers as a PDF; with `key` also the answers, on pages
        of their own. Raises WriteError."""
        write_atomically(path, sheet(self._exported, key=flag("sheet: key", key)))
        return Path(path)

    def __repr__(self) -> str:
        asked = ", ".join(self.questions[:4]) + (", …" if len(self.questions) > 4 else "")
        where = "not saved" if self.path is None else str(self.path)
        return f"Lesson({asked}; {len(self.text.encode()) / 1000:,.0f} kB, {where})"


@public
def lesson(
    loss: Node,
    ask: Sequence[str],
    path: Any = None,
    *,
    feeds: Mapping[Any, Any] | None = None,
    title: str | None = None,
    values: bool = True,
    learning_rate: float = 0.1,
    theme: Theme = "auto",
) -> Lesson:
    """Returns a page that asks for derivatives of the loss, judges what is typed, and gives hints.

    An answer is a number, an array or a formula in the names of the cards. A wrong one is compared
    with what the usual mistakes would give, and the mistake is named and shown in the graph. The
    page is one file that works offline; its answers are sealed against a glance, not encrypted.

    ask: the questions: "∂L/∂a" (or "dL/da") for a derivative, "h" for the value of node h.
    path: the file to write.
    feeds: values for placeholders.
    title: the heading; by default "Derivatives of L".
    values: show the values of operations; those that are asked for, and what depends on them, are
        always masked.
    learning_rate: the one by which an answer may be off.
    theme: "auto", "light" or "dark".

    Raises GraphError if the loss isn't a single real number, if a question is none on this graph,
    or if the graph has a node that a lesson can't show: a loop, a complex one, a large array.

    >>> import palingrad as pg
    >>> a, b = pg.Variable(2.0, name="a"), pg.Variable(-3.0, name="b")
    >>> L = pg.sin(a * b, name="L")
    >>> pg.lesson(L, ask=["∂L/∂a", "dL/db"]).questions
    ('∂L/∂a', '∂L/∂b')
    """
    options = {
        "feeds": feeds, "title": title, "values": values, "learning_rate": learning_rate,
        "theme": theme,
    }  # fmt: skip
    made = Lesson(Exported(loss, ask, options), theme)
    if path is not None:
        made.save(path)
    return made
