"""Styles: the colour of each tone, for light and dark screens and for print.

The hues are those of Okabe & Ito (2008), which people with any colour vision can distinguish.
Elements that differ in hue also differ in shape or line style.
"""

from __future__ import annotations

from typing import Literal

Style = Literal["auto", "light", "dark", "print"]

LIGHT = {
    "paper": "#ffffff",
    "ink": "#17212b",
    "soft": "#5d6b79",
    "line": "#6f7d8b",
    "frame": "#d3dbe3",
    "frame-fill": "#f7f9fb",
    "operation": "#2f6f9f",
    "operation-fill": "#edf5fb",
    "variable": "#00795a",
    "variable-fill": "#e4f5ee",
    "placeholder": "#9a6a00",
    "placeholder-fill": "#fdf3dc",
    "constant": "#7e8c99",
    "constant-fill": "#f2f4f6",
    "backward": "#b04800",
    "backward-fill": "#fdf0e5",
    "backward-frame": "#eccbb0",
    "backward-frame-fill": "#fefaf6",
    "update": "#a3538a",
    "update-fill": "#fbeff7",
    "update-frame": "#e3c3d8",
    "update-frame-fill": "#fdf8fb",
    "strong": "#0072b2",
    "weak": "#d55e00",
}

DARK = {
    "paper": "#12171c",
    "ink": "#e8edf2",
    "soft": "#9aa8b5",
    "line": "#8492a0",
    "frame": "#333e49",
    "frame-fill": "#181f26",
    "operation": "#56b4e9",
    "operation-fill": "#16293a",
    "variable": "#2fbf94",
    "variable-fill": "#102e26",
    "placeholder": "#e69f00",
    "placeholder-fill": "#332812",
    "constant": "#6f7e8c",
    "constant-fill": "#20282f",
    "backward": "#f08a45",
    "backward-fill": "#35220f",
    "backward-frame": "#5d3e22",
    "backward-frame-fill": "#1c1813",
    "update": "#d795bd",
    "update-fill": "#301f2a",
    "update-frame": "#573b4d",
    "update-frame-fill": "#1b161b",
    "strong": "#56b4e9",
    "weak": "#f08a45",
}

_INK = {"ink", "operation", "variable", "placeholder", "backward", "update", "strong", "weak"}
PRINT = {
    tone: "#000000"
    if tone in _INK
    else "#444444"
    if tone in ("soft", "line", "constant")
    else "#999999"
    if tone.endswith("frame")
    else "#eeeeee"
    if tone in ("backward-fill", "update-fill")
    else "#ffffff"
    for tone in LIGHT
}

PALETTES: dict[str, dict[str, str]] = {"light": LIGHT, "dark": DARK, "print": PRINT}
