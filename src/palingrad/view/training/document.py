"""A self-contained HTML document: title, sections and the common style sheet."""

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
    """The text of a file in this package's `assets` folder."""
    return (files(__package__ or "") / "assets" / name).read_text(encoding="utf-8")


def document(title: str, body: str, *, script: str = "") -> str:
    """Returns the HTML text. `body` is HTML; `script` is JavaScript that runs after it."""
    code = f"<script>\n{script}\n</script>" if script else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>\n{asset('report.css')}</style>\n</head>\n"
        f"<body>\n{body}\n{code}\n</body>\n</html>\n"
    )


def section(title: str, content: str, *, note: str = "", wide: bool = False) -> str:
    """A card with a heading; "" if `content` is empty."""
    if not content:
        return ""
    caption = f'<p class="note">{note}</p>' if note else ""
    return (
        f'<section class="card{" wide" if wide else ""}"><h2>{escape(title)}</h2>{caption}'
        f"{content}</section>\n"
    )


def table(rows: list[tuple[str, Any]]) -> str:
    """A list of names with values, one per row."""
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in rows)
    return f'<dl class="facts">{lines}</dl>'


def grey_png(pixels: Array) -> str:
    """A grey image (height, width) of uint8 as a PNG data URI; 0 is white, 255 is black."""
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each row starts with the filter type 0
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
