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
    """The text of an SVG file.

    Every mark has plain colours as attributes, for viewers without CSS variables; where these are
    supported, the style sheet sets the same colours by variables, which a theme may change.
    """
    w, h = number(canvas.width), number(canvas.height)
    palette = PALETTES.get(style, LIGHT)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pg" width="{w}" height="{h}" '
        f'viewBox="0 0 {w} {h}" role="img" aria-label={quoteattr(canvas.title)} '
        f'font-family="{FAMILIES["sans"]}" text-anchor="middle">',
        f"<style>{_sheet(style, _tones(canvas))}</style>",
        f'<rect class="paper" width="{w}" height="{h}" rx="10" fill="{palette["paper"]}"/>',
    ]
    for part in canvas.parts:
        body = "".join(_mark(mark, palette) for mark in part.marks)
        if part.key or part.tip:
            key = f" id={quoteattr(part.key)}" if part.key else ""
            tip = f"<title>{escape(part.tip)}</title>" if part.tip else ""
            body = f"<g{key}>{tip}{body}</g>"
        lines.append(body)
    lines.append("</svg>")
    return _FORBIDDEN.sub("\ufffd", "\n".join(lines)) + "\n"


def _tones(canvas: Canvas) -> tuple[set[str], set[str]]:
    """The tones of fills and texts, and those of strokes."""
    fills, strokes = {"ink"}, {"paper"}
    for part in canvas.parts:
        for mark in part.marks:
            if isinstance(mark, Text):
                fills.add(mark.tone)
            else:
                fills.update([mark.fill] if mark.fill else [])
                strokes.update([mark.stroke] if mark.stroke else [])
    return fills, strokes


def _sheet(style: Style, tones: tuple[set[str], set[str]]) -> str:
    palette = PALETTES.get(style, LIGHT)
    rules = [
        f".pg text{{font-family:{FAMILIES['sans']};text-anchor:middle}}",
        f".pg .italic{{font-family:{FAMILIES['italic']};font-style:italic}}",
        ".pg .bold{font-weight:bold}.pg .start{text-anchor:start}.pg .end{text-anchor:end}",
        f".pg{{{_variables(palette)}}}",
    ]
    if style == "auto":
        dark = _variables(PALETTES["dark"])
        rules.append(f"@media(prefers-color-scheme:dark){{.pg{{{dark}}}}}")
    fills, strokes = tones
    coloured = [
        ".pg .paper{fill:var(--paper)}",
        *(f".pg .f-{tone}{{fill:var(--{tone})}}" for tone in sorted(fills)),
        *(f".pg .s-{tone}{{stroke:var(--{tone})}}" for tone in sorted(strokes)),
        ".pg .halo{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}",
    ]
    # Viewers that don't know variables skip this block, rather than read the colours as black.
    rules.append(f"@supports(fill:var(--ink)){{{''.join(coloured)}}}")
    return "".join(rules)


def _variables(palette: Mapping[str, str]) -> str:
    return ";".join(f"--{tone}:{colour}" for tone, colour in palette.items())


def _mark(mark: Mark, palette: Mapping[str, str]) -> str:
    return _text(mark, palette) if isinstance(mark, Text) else _outline(mark, palette)


def _outline(mark: Outline, palette: Mapping[str, str]) -> str:
    classes = [f"f-{mark.fill}"] if mark.fill else []
    classes += [f"s-{mark.stroke}"] if mark.stroke else []
    look = f' fill="{palette[mark.fill]}"' if mark.fill else ' fill="none"'
    if mark.stroke:
        look += f' stroke="{palette[mark.stroke]}" stroke-width="{number(mark.width)}"'
        look += ' stroke-linejoin="round" stroke-linecap="round"'
        if mark.dash:
            look += f' stroke-dasharray="{",".join(map(number, mark.dash))}"'
    return f'<path class="{" ".join(classes)}" d="{_path(mark.commands)}"{look}/>'


def _path(commands: tuple[Command, ...]) -> str:
    return "".join(
        kind + " ".join(f"{number(x)},{number(y)}" for x, y in points) for kind, *points in commands
    )


_FACES = {
    "sans": "",
    "bold": ' font-weight="bold"',
    "italic": f' font-family="{FAMILIES["italic"]}" font-style="italic"',
}


def _text(mark: Text, palette: Mapping[str, str]) -> str:
    classes = [f"f-{mark.tone}"]
    classes += [mark.face] if mark.face != "sans" else []
    classes += [mark.anchor] if mark.anchor != "middle" else []
    classes += ["halo"] if mark.halo else []
    anchor = f' text-anchor="{mark.anchor}"' if mark.anchor != "middle" else ""
    x, y = mark.at
    return (
        f'<text class="{" ".join(classes)}" x="{number(x)}" y="{number(y)}" '
        f'font-size="{number(mark.size)}" fill="{palette[mark.tone]}"{anchor}{_FACES[mark.face]}>'
        f"{escape(mark.text)}</text>"
    )


def number(value: float) -> str:
    """A number with at most one decimal; finer differences are invisible."""
    text = f"{value:.1f}"
    text = text[:-2] if text.endswith(".0") else text
    return "0" if text == "-0" else text
