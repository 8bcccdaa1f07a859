"""What a card shows of an array: up to six numbers, or a picture; and the size of the card.

A picture consists of tiles. A row of 784 numbers is an image of 28 × 28 pixels, and so is each
column of a matrix with 784 rows, such as a first layer's weights; the last two axes of an array of
three or more axes are a tile for each index of the others. Other arrays are one tile.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ....dtypes import Array, is_inexact
from ..placing import HEIGHT, width

Json = dict[str, Any]
NUMBERS = 6  # the largest number of elements that stand on a card
CARDS = 60  # the largest number of cards of a graph whose cards show arrays
PIXELS = 784
TILES, IMAGES = 12, 8  # tiles shown of an array, if they are images
SIDE = 64  # rows and columns of the picture of a larger matrix
_WIDE, _HIGH = {True: 132.0, False: 96.0}, 64.0  # the largest picture, of images and others


def tiling(shape: Sequence[int]) -> Json | None:
    """{'r', 'c': rows and columns of a tile, 'n': tiles shown, 'i': 1 for images, 't': 1 if tiles
    are columns}; None if the array is a number or empty."""
    size = math.prod(shape)
    if size < 2:
        return None
    if shape[-1] == PIXELS:
        return {"r": 28, "c": 28, "n": min(IMAGES, size // PIXELS), "i": 1}
    if len(shape) == 2 and shape[0] == PIXELS:
        return {"r": 28, "c": 28, "n": min(IMAGES, shape[1]), "i": 1, "t": 1}
    rows, columns = (1, shape[0]) if len(shape) == 1 else shape[-2:]
    image = rows == columns == 28
    tiles = min(IMAGES if image else TILES, size // (rows * columns))
    return {"r": rows, "c": columns, "n": tiles} | ({"i": 1} if image else {})


def card(node: Mapping[str, Any], gradient: bool) -> Json | None:
    """What the card of a node shows of its array and, if it has one, of its gradient ('g'), with
    the size of a tile ('s'), the tiles in a row ('a') and the width of a picture ('w')."""
    shape = node["sh"]
    if not shape or None in shape or ("v" not in node and "z" not in node) or "parts" in node:
        return None
    if "z" in node and math.prod(shape) > NUMBERS:
        return None  # no picture shows two numbers an entry
    found = tiling(shape)
    if found is None:
        return None
    if gradient:
        found["g"] = 1
    if math.prod(shape) <= NUMBERS:
        rows = math.prod(shape[:-1])
        found |= {"r": rows, "c": shape[-1], "n": 1}
        return {"k": "numbers", **found, "a": 1, "s": [_cell(node), 14.0]}
    across = _across(found["n"])
    down = -(-found["n"] // across)
    wide = (_WIDE["i" in found] - 2 * (across - 1)) / across
    high = (_HIGH - 2 * (down - 1)) / down
    cell = min(wide / found["c"], high / found["r"], 12.0)
    sides = [max(2.0, cell * found["c"]), max(2.0, cell * found["r"])]
    whole = across * sides[0] + 2 * (across - 1)
    return {"k": "picture", **found, "a": across, "s": sides, "w": max(whole, 44.0)}


def _across(tiles: int) -> int:
    return tiles if tiles <= 3 else 4 if tiles <= 8 else 6


def _cell(node: Mapping[str, Any]) -> float:
    """The width of a number on the card: that of the longest one, with three digits."""
    if "z" in node:
        parts = [f"{float(x):.3g}" for pair in node["z"].values() for part in pair for x in part]
        return 10.0 + 7.0 * min(19, 2 + 2 * max(map(len, parts), default=3))
    numbers = [x for name in ("v", "j") for x in (node.get(name) or {}).get("f", ())]
    longest = max((len(f"{float(x):.3g}") for x in numbers), default=4)
    return 10.0 + 7.0 * min(9, max(3, longest))


def size(node: Mapping[str, Any]) -> tuple[float, float]:
    """The width and height of a node's card."""
    base, shown = width(node), node.get("pic")
    if shown is None:
        return base, HEIGHT
    both = 2 if "g" in shown else 1
    if shown["k"] == "numbers":
        side = shown["r"] > 1  # the gradient stands beside the value, or under it
        wide, high = shown["c"] * shown["s"][0], shown["r"] * 14.0
        across, down = (both, 1) if side else (1, both)
        return max(base, 24 + across * (wide + 8)), 30 + down * high + 2
    high = -(-shown["n"] // shown["a"]) * (shown["s"][1] + 2) - 2
    return base + both * (shown["w"] + 8), max(HEIGHT, high + 24)  # a line below has the scale


def thumbnail(array: Array, shown: Mapping[str, Any]) -> Json | None:
    """The tiles of an array that isn't exported whole, as signed bytes in base64: {'d', 'm': the
    number that 127 stands for} and, if the tiles have fewer rows and columns, {'r', 'c'}."""
    if not is_inexact(array.dtype) or np.iscomplexobj(array):
        return None
    tiles = array.T if shown.get("t") else array
    tiles = tiles.reshape(-1, shown["r"], shown["c"])[: shown["n"]].astype(np.float64)
    if shown["r"] > SIDE or shown["c"] > SIDE:
        tiles = np.stack([_thinned(tile) for tile in tiles])
    if not np.isfinite(tiles).all():
        return None
    top = float(np.abs(tiles).max())
    numbers = np.rint(tiles * (127 / top if top else 0)).astype(np.int8)
    return {
        "d": base64.b64encode(numbers.tobytes()).decode(), "m": top,
        "r": tiles.shape[1], "c": tiles.shape[2],
    }  # fmt: skip


def _thinned(tile: Array) -> Array:
    """The matrix in at most SIDE × SIDE blocks, each shown by its number of largest magnitude."""
    for axis in (0, 1):
        if tile.shape[axis] > SIDE:
            parts = np.array_split(tile, SIDE, axis=axis)
            picks = [np.argmax(np.abs(part), axis=axis, keepdims=True) for part in parts]
            tile = np.concatenate(
                [
                    np.take_along_axis(part, pick, axis)
                    for part, pick in zip(parts, picks, strict=True)
                ],
                axis,
            )
    return tile
