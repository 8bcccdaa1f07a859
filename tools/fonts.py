"""Makes the fonts of drawings: subsets of Arimo and Tinos, completed from DejaVu Sans.

Arimo and Tinos have the metrics of Arial and Times, so an SVG that a browser sets in its own Arial
keeps its layout. Requires fontTools and Debian's fonts-croscore and fonts-dejavu-core (or an
argument with their folder). Run it only to change the set of characters.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables.ttProgram import Program

SYSTEM = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts/truetype")
DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
TARGET = Path(__file__).resolve().parent.parent / "src" / "palingrad" / "view" / "fonts"
FACES = {
    "sans": "croscore/Arimo-Regular.ttf",
    "bold": "croscore/Arimo-Bold.ttf",
    "italic": "croscore/Tinos-Italic.ttf",
}
EXTRA = "…–—‘’“”•′″ᵀ⁰⁴⁵⁶⁷⁸⁹⁺⁻ⁿ₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₒₓₙₜ←↑→↓↔⇒∀∂∃∅∇∈∏∑−∕∗∘√∛∞∥∧∨∩∪∫≈≠≡≤≥⊕⊗⊙⊤⌈⌉⌊⌋σ■□▲●◦★✓"
CHARACTERS = {*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x391, 0x3CA), *map(ord, EXTRA)}


def made(name: str, path: str) -> TTFont:
    font = TTFont(SYSTEM / path)
    options = Options()
    options.hinting = False
    options.layout_features = []
    options.name_IDs = ["*"]
    options.drop_tables += ["GPOS", "GSUB", "GDEF", "kern", "FFTM", "DSIG", "VDMX", "hdmx", "LTSH"]
    missing = CHARACTERS - set(font.getBestCmap())
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=CHARACTERS)
    subsetter.subset(font)
    bold = "-Bold" if name == "bold" else ""
    spare = TTFont(DEJAVU / f"DejaVuSans{bold}.ttf")
    known = spare.getBestCmap()
    narrower = Subsetter(options)
    narrower.populate(unicodes=missing & set(known))
    narrower.subset(spare)
    for code in sorted(missing & set(known)):
        add(font, spare, code, known[code])
    for record in font["name"].names:
        if record.nameID in (1, 3, 4, 6, 16):
            record.string = f"Palingrad {name}".replace(" ", "" if record.nameID == 6 else " ")
    print(name, len(font.getBestCmap()), "characters, missing", sorted(missing - set(known)))
    return font


def add(font: TTFont, spare: TTFont, code: int, old: str) -> None:
    """Copies one outline. Both fonts have 2048 units per em."""
    glyph = spare["glyf"][old]
    glyph.expand(spare["glyf"])
    if glyph.isComposite():
        coordinates, ends, flags = glyph.getCoordinates(spare["glyf"])
        glyph.numberOfContours = len(ends)
        glyph.coordinates, glyph.endPtsOfContours, glyph.flags = coordinates, ends, flags
        del glyph.components
    name = f"extra{code:04X}"
    glyph.program = Program()
    font.setGlyphOrder([*font.getGlyphOrder(), name])
    font["glyf"].glyphs[name] = glyph
    font["hmtx"].metrics[name] = spare["hmtx"].metrics[old]
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[code] = name


def main() -> int:
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, path in FACES.items():
        font = made(name, path)
        font.save(TARGET / f"{name}.ttf", reorderTables=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
