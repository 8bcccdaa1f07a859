"""Drawing by pyecharts, which is refused."""

from typing import NoReturn

from ....errors import GraphError

__all__ = ["draw_graph"]


def draw_graph() -> NoReturn:
    """Refused."""
    raise GraphError(
        "draw_graph: palingrad doesn't draw with pyecharts",
        hint="default_graph.draw() draws with Matplotlib.",
    )
