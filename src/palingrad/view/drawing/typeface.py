"""The typefaces of drawings, read from TrueType files: text widths and glyph numbers.

Reads only the tables `head`, `hhea`, `hmtx`, and `cmap` in format 4.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path
from typing import Literal

Face = Literal["sans", "bold", "italic"]

FOLDER = Path(__file__).resolve().parent / "fonts"


class Typeface:
    """One face: the glyph of each character, and the advance width of each glyph."""

    def __init__(self, face: Face) -> None:
        self.path = FOLDER / f"{face}.ttf"
        self.data = self.path.read_bytes()
        self.tables = _tables(self.data)
        head, hhea = self.tables["head"], self.tables["hhea"]
        (self.units,) = struct.unpack_from(">H", self.data, head + 18)
        self.box = struct.unpack_from(">4h", self.data, head + 36)
        self.ascent, self.descent = struct.unpack_from(">2h", self.data, hhea + 4)
        (count,) = struct.unpack_from(">H", self.data, hhea + 34)
        pairs = struct.unpack_from(f">{2 * count}H", self.data, self.tables["hmtx"])
        self.advances = pairs[::2]
        self.glyphs = _characters(self.data, self.tables["cmap"])

    def glyph(self, character: str) -> int:
        """The number of a character's glyph, 0 if the face has none."""
        return self.glyphs.get(ord(character), 0)

    def advance(self, glyph: int) -> int:
        """A glyph's advance width, in the face's units."""
        return self.advances[min(glyph, len(self.advances) - 1)]


@lru_cache(None)
def typeface(face: Face) -> Typeface:
    """The face, read once."""
    return Typeface(face)


@lru_cache(20_000)
def width(text: str, size: float, face: Face = "sans") -> float:
    """The width of `text` at this size."""
    font = typeface(face)
    return sum(font.advance(font.glyph(character)) for character in text) * size / font.units


def _tables(data: bytes) -> dict[str, int]:
    (count,) = struct.unpack_from(">H", data, 4)
    offsets: dict[str, int] = {}
    for place in range(count):
        tag, _, offset, _ = struct.unpack_from(">4s3I", data, 12 + 16 * place)
        offsets[tag.decode("latin-1")] = offset
    return offsets


def _characters(data: bytes, cmap: int) -> dict[int, int]:
    """The map from code points to glyphs, from the first `cmap` subtable in format 4."""
    (count,) = struct.unpack_from(">H", data, cmap + 2)
    for place in range(count):
        _, _, offset = struct.unpack_from(">2HI", data, cmap + 4 + 8 * place)
        if struct.unpack_from(">H", data, cmap + offset)[0] == 4:
            return _format_4(data, cmap + offset)
    raise ValueError("the typeface has no cmap subtable in format 4")


def _format_4(data: bytes, start: int) -> dict[int, int]:
    count = struct.unpack_from(">H", data, start + 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", data, start + 14)
    starts = struct.unpack_from(f">{count}H", data, start + 16 + 2 * count)
    deltas = struct.unpack_from(f">{count}H", data, start + 16 + 4 * count)
    base = start + 16 + 6 * count
    offsets = struct.unpack_from(f">{count}H", data, base)
    glyphs: dict[int, int] = {}
    for place in range(count):
        for code in range(starts[place], min(ends[place], 0xFFFE) + 1):
            glyph = code
            if offsets[place]:
                at = base + 2 * place + offsets[place] + 2 * (code - starts[place])
                (glyph,) = struct.unpack_from(">H", data, at)
            if glyph or not offsets[place]:
                glyphs[code] = (glyph + deltas[place]) & 0xFFFF
    return glyphs
