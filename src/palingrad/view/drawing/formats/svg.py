"""SVG: a canvas as a self-contained file, in one style or following the reader's colour scheme."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from ..canvas import Canvas, Command, Mark, Outline, Text
from ..style import LIGHT, PALETTES, Style

# Faces with the advance widths that the layout assumes; nearly every system has one of each list.
FAMILIES = {
    "sans": "Arimo,Arial,'Liberation Sans',Helvetica,sans-serif",
    "italic": "Tinos,'Times New Roman','Liberation Serif',Times,serif",
}
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML


def svg(canvas: Canvas, *, style: Style = "auto") -> str:
    """The text of an SVG file."""
    w, h = number(canvas.width), number(canvas.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pg" width="{w}" height="{h}" '
        f'viewBox="0 0 {w} {h}" role="img" aria-label={quoteattr(canvas.title)}>',
        f"<style>{_sheet(style)}</style>",
        f'<rect class="paper" width="{w}" height="{h}" rx="10"/>',
    ]
    for part in canvas.parts:
        body = "".join(map(_mark, part.marks))
        if part.key or part.tip:
            key = f" id={quoteattr(part.key)}" if part.key else ""
            tip = f"<title>{escape(part.tip)}</title>" if part.tip else ""
            body = f"<g{key}>{tip}{body}</g>"
        lines.append(body)
    lines.append("</svg>")
    return _FORBIDDEN.sub("\ufffd", "\n".join(lines)) + "\n"


def _sheet(style: Style) -> str:
    palette = PALETTES.get(style, LIGHT)
    rules = [
        f".pg{{{_variables(palette)}}}",
        f".pg text{{font-family:{FAMILIES['sans']};text-anchor:middle;fill:var(--ink)}}",
        f".pg .italic{{font-family:{FAMILIES['italic']};font-style:italic}}",
        ".pg .bold{font-weight:bold}.pg .start{text-anchor:start}.pg .end{text-anchor:end}",
        ".pg .halo{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}",
        ".pg path{fill:none;stroke-linejoin:round;stroke-linecap:round}",
        ".pg .paper{fill:var(--paper)}",
    ]
    if style == "auto":
        dark = _variables(PALETTES["dark"])
        rules.append(f"@media(prefers-color-scheme:dark){{.pg{{{dark}}}}}")
    return "".join(rules)


def _variables(palette: Mapping[str, str]) -> str:
    return ";".join(f"--{tone}:{colour}" for tone, colour in palette.items())


def _mark(mark: Mark) -> str:
    return _text(mark) if isinstance(mark, Text) else _outline(mark)


def _outline(mark: Outline) -> str:
    rules: list[str] = []
    if mark.fill:
        rules.append(f"fill:var(--{mark.fill})")
    if mark.stroke:
        rules.append(f"stroke:var(--{mark.stroke})")
        rules.append(f"stroke-width:{number(mark.width)}")
        if mark.dash:
            rules.append("stroke-dasharray:" + ",".join(map(number, mark.dash)))
    return f'<path d="{_path(mark.commands)}" style="{";".join(rules)}"/>'


def _path(commands: tuple[Command, ...]) -> str:
    return "".join(
        kind + " ".join(f"{number(x)},{number(y)}" for x, y in points) for kind, *points in commands
    )


def _text(mark: Text) -> str:
    classes = [mark.face] if mark.face != "sans" else []
    classes += [mark.anchor] if mark.anchor != "middle" else []
    classes += ["halo"] if mark.halo else []
    shown = f' class="{" ".join(classes)}"' if classes else ""
    tone = "" if mark.tone == "ink" else f' style="fill:var(--{mark.tone})"'
    x, y = mark.at
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{number(mark.size)}"{shown}{tone}>'
        f"{escape(mark.text)}</text>"
    )


def number(value: float) -> str:
    """A number with at most one decimal; finer differences are invisible."""
    text = f"{value:.1f}"
    text = text[:-2] if text.endswith(".0") else text
    return "0" if text == "-0" else text
