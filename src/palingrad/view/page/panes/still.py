"""The page in a notebook: an inline frame, and a still picture where frames are removed."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import Any

from ...drawing.conventions import scene_of
from ...drawing.folding import folded
from ...drawing.formats.png import png
from ...drawing.model import picture
from ...drawing.paint import painted

INLINE = 60  # boxes above which equal blocks are drawn once
MANY = 2_000  # nodes of the largest graph of which one is tried
LARGEST = 400  # boxes of the largest still picture
SCALE = 1.5  # pixels for each unit of the picture


def still(what: Any) -> bytes | None:
    """A PNG of the graph; None if it is too large to read."""
    shown = picture(what)
    if len(shown.items) > MANY:
        return None
    scene = scene_of(shown, nodes="operations", values=None, shapes=True, beside=True)
    if len(scene.boxes) > INLINE:
        scene = folded(scene)
    if len(scene.boxes) > LARGEST:
        return None
    return png(painted(scene), style="light", scale=SCALE)


def framed(text: str, title: str, height: int, image: bytes | None) -> str:
    """The page in a frame above its still picture.

    GitHub and untrusted notebooks remove frames: then the picture is what remains. The frame shows
    nothing until its script has run, so that the picture is seen too where scripts are blocked.
    """
    inside = text.replace('<html lang="en"', '<html lang="en" class="framed"', 1)
    back = f"<p>{escape(title)}: run the notebook to see its page.</p>"
    if image is not None:
        back = (
            f'<img alt="{escape(title)}" style="max-width:100%;max-height:{height}px" '
            f'src="data:image/png;base64,{b64encode(image).decode()}">'
        )
    return (
        f'<div style="position:relative;min-height:{height}px">{back}'
        f'<iframe srcdoc="{escape(inside)}" width="100%" height="{height}" '
        'style="position:absolute;left:0;top:0;border:1px solid #8884;border-radius:8px;'
        'box-sizing:border-box" sandbox="allow-scripts allow-downloads" '
        f'title="{escape(title)}"></iframe></div>'
    )
