"""PDF: canvases as pages of vector graphics with embedded typefaces, so that text stays text.

Writes the small part of PDF 1.7 (ISO 32000-1) that drawings need; a PDF library would be a larger
dependency than Pillow and replace about fifty lines.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from ..canvas import Canvas, Outline, Text
from ..style import PALETTES, Style
from ..typeface import Face, typeface, width
from .svg import number

FACES: tuple[Face, ...] = ("sans", "bold", "italic")
LARGEST = 14_000.0  # points; PDF readers don't support larger pages


def pdf(canvas: Canvas, *, style: Style = "auto") -> bytes:
    """The bytes of a PDF file. "auto" gives the light style."""
    return pages([canvas], style=style)


def pages(canvases: Sequence[Canvas], *, style: Style = "auto") -> bytes:
    """The bytes of a PDF file with one page for each canvas."""
    palette = PALETTES["light" if style == "auto" else style]
    used: dict[Face, set[str]] = {face: set() for face in FACES}
    first = 4 + 2 * len(canvases)  # the number of the first typeface's object
    fonts = " ".join(f"/{face} {first + 5 * place} 0 R" for place, face in enumerate(FACES))
    kids = " ".join(f"{4 + 2 * place} 0 R" for place in range(len(canvases)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(canvases)}>>".encode(),
        b"<</Producer(palingrad)>>",
    ]
    for place, canvas in enumerate(canvases):
        scale = min(0.75, LARGEST / max(canvas.width, canvas.height, 1.0))  # a unit is 3/4 point
        size = f"{number(canvas.width * scale)} {number(canvas.height * scale)}"
        objects += [
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {size}]/Contents {5 + 2 * place} 0 R"
            f"/Resources<</Font<<{fonts}>>>>>>".encode(),
            _stream(_drawing(canvas, palette, scale, used).encode("ascii")),
        ]
    for place, face in enumerate(FACES):
        objects += _font(face, first + 5 * place, used[face])
    return _file(objects)


def _file(objects: list[bytes]) -> bytes:
    body = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    places: list[int] = []
    for place, content in enumerate(objects):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (place + 1, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
        + b"trailer\n<</Size %d/Root 1 0 R/Info 3 0 R>>\nstartxref\n%d\n%%%%EOF\n"
        % (count, len(body))
    )


def _stream(data: bytes, more: str = "") -> bytes:
    packed = zlib.compress(data, 9)
    head = f"<</Length {len(packed)}/Filter/FlateDecode{more}>>stream\n"
    return head.encode() + packed + b"\nendstream"


# ---------------------------------------------------------------- the page


def _drawing(
    canvas: Canvas, palette: dict[str, str], scale: float, used: dict[Face, set[str]]
) -> str:
    """The page's content stream; its first operator flips the y axis, which points down on a
    canvas."""
    s = f"{scale:.5f}"
    lines = [
        f"{s} 0 0 -{s} 0 {number(canvas.height * scale)} cm 1 j 1 J",
        f"{_colour(palette['paper'])} rg 0 0 {number(canvas.width)} {number(canvas.height)} re f",
    ]
    for part in canvas.parts:
        for mark in part.marks:
            if isinstance(mark, Text):
                used[mark.face].update(mark.text)
                lines.append(_text(mark, palette))
            else:
                lines.append(_outline(mark, palette))
    return "\n".join(lines)


def _colour(colour: str) -> str:
    return " ".join(f"{int(colour[at : at + 2], 16) / 255:.3f}" for at in (1, 3, 5))


def _outline(mark: Outline, palette: dict[str, str]) -> str:
    parts: list[str] = []
    if mark.fill:
        parts.append(f"{_colour(palette[mark.fill])} rg")
    if mark.stroke:
        parts.append(f"{_colour(palette[mark.stroke])} RG {number(mark.width)} w")
        parts.append(f"[{' '.join(map(number, mark.dash))}] 0 d")
    for kind, *points in mark.commands:
        numbers = " ".join(f"{number(x)} {number(y)}" for x, y in points)
        parts.append(f"{numbers} {'h' if kind == 'Z' else kind.lower()}".strip())
    parts.append("B" if mark.fill and mark.stroke else "f" if mark.fill else "S")
    return " ".join(parts)


def _text(mark: Text, palette: dict[str, str]) -> str:
    wide = width(mark.text, mark.size, mark.face)
    x = mark.at[0] - {"start": 0.0, "middle": wide / 2, "end": wide}[mark.anchor]
    face = typeface(mark.face)
    glyphs = "".join(f"{face.glyph(character):04X}" for character in mark.text)
    at = f"1 0 0 -1 {x:.2f} {mark.at[1]:.2f} Tm"
    show = f"BT /{mark.face} {number(mark.size)} Tf {at} <{glyphs}> Tj ET"
    fill = f"{_colour(palette[mark.tone])} rg"
    if mark.halo:
        rim = f"{_colour(palette['paper'])} RG 3 w [] 0 d 1 Tr {show} 0 Tr"
        return f"{rim} {fill} {show}"
    return f"{fill} {show}"


# ---------------------------------------------------------------- typefaces


def _font(face: Face, first: int, characters: set[str]) -> list[bytes]:
    """The five objects of a typeface: font, descendant font with widths, descriptor, font file and
    ToUnicode map."""
    font = typeface(face)
    k = 1000 / font.units
    name = f"Palingrad{face}"
    pairs = sorted({font.glyph(character): character for character in characters}.items())
    widths = "".join(f"{glyph}[{round(font.advance(glyph) * k)}]" for glyph, _ in pairs)
    box = " ".join(str(round(side * k)) for side in font.box)
    lines = "".join(f"<{glyph:04X}> <{_utf16(character)}>\n" for glyph, character in pairs)
    names = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /P def "
        "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
        + _in_hundreds(lines)
        + "endcmap end end"
    )
    return [
        f"<</Type/Font/Subtype/Type0/BaseFont/{name}/Encoding/Identity-H"
        f"/DescendantFonts[{first + 1} 0 R]/ToUnicode {first + 4} 0 R>>".encode(),
        f"<</Type/Font/Subtype/CIDFontType2/BaseFont/{name}/CIDToGIDMap/Identity"
        f"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
        f"/FontDescriptor {first + 2} 0 R/DW 1000/W[{widths}]>>".encode(),
        f"<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[{box}]"
        f"/ItalicAngle {-16 if face == 'italic' else 0}/Ascent {round(font.ascent * k)}"
        f"/Descent {round(font.descent * k)}/CapHeight 700/StemV 80"
        f"/FontFile2 {first + 3} 0 R>>".encode(),
        _stream(font.data, f"/Length1 {len(font.data)}"),
        _stream(names.encode("ascii")),
    ]


def _utf16(character: str) -> str:
    return character.encode("utf-16-be").hex().upper()


def _in_hundreds(lines: str) -> str:
    """The bfchar table in sections of at most 100 entries, the limit of the CMap format."""
    rows = lines.splitlines(keepends=True)
    runs = [rows[at : at + 100] for at in range(0, len(rows), 100)]
    return "".join(f"{len(run)} beginbfchar\n{''.join(run)}endbfchar\n" for run in runs)
