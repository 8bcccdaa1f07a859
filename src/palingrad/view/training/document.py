"""One HTML file: a title, sections, the common style; nothing is fetched."""

from __future__ import annotations

import base64
import struct
import zlib
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from ...dtypes import Array


def asset(name: str) -> str:
    """A file of the package's own, as text."""
    return (files(__package__ or "") / "assets" / name).read_text(encoding="utf-8")


def document(title: str, body: str, *, script: str = "") -> str:
    """The text of the page. `body` is HTML; the script runs after it."""
    code = f"<script>\n{script}\n</script>" if script else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>\n{asset('report.css')}</style>\n</head>\n"
        f"<body>\n{body}\n{code}\n</body>\n</html>\n"
    )


def section(title: str, content: str, *, note: str = "", wide: bool = False) -> str:
    """A card with a heading; "" where there is nothing to show."""
    if not content:
        return ""
    said = f'<p class="note">{note}</p>' if note else ""
    return (
        f'<section class="card{" wide" if wide else ""}"><h2>{escape(title)}</h2>{said}'
        f"{content}</section>\n"
    )


def table(rows: list[tuple[str, Any]]) -> str:
    """Names and values, line by line."""
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in rows)
    return f'<dl class="facts">{lines}</dl>'


def grey_png(pixels: Array) -> str:
    """A picture (height, width) of uint8 as a data URI: 0 is white paper, 255 is ink."""
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each begins with filter type 0
    rows[:, 1:] = 255 - pixels
    chunks = [
        (b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    ]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return "data:image/png;base64," + base64.b64encode(content).decode()
