"""The viewer: drawings, the page, recordings, and derivatives as mathematics or as source code.

`pg.view(loss)` opens the page; every other public name is imported on first use.
"""

import sys
from types import ModuleType
from typing import Any

from ..graph.state.imports import imported

# Each public name and the module of this folder that defines it.
_NAMES = {
    "draw": "drawings",
    "html_of": "drawings",
    "svg_of": "drawings",
    "Drawing": "drawings",
    "binarized": "binarize",
    "unbinarized": "binarize",
    "picture": "drawing.model",
    "names_of": "names",
    "source": "reading.source.source",
    "translate": "reading.translation.translate",
    "latex": "reading.mathematics.latex",
    "derivation": "reading.mathematics.derivation",
    "Recording": "training.recording",
    "debug_nans": "nonfinite.debug_nans",
    "lesson": "lessons.lesson",
    "load_tape": "recording.tape",
    "record": "recording.recorder",
}


class Viewer(ModuleType):
    """The type of this module, which can also be called to show the page: `pg.view(loss)`."""

    def __getattr__(self, name: str) -> Any:
        if name in _NAMES:
            module = imported(f"{__name__}.{_NAMES[name]}")
            return getattr(module, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return sorted([*vars(self), *_NAMES])

    def __call__(self, what: Any, path: Any = None, **options: Any) -> Any:
        """Show the page for `what`; see `palingrad.view.page.show`."""
        return imported(f"{__name__}.page").show(what, path, **options)


sys.modules[__name__].__class__ = Viewer
