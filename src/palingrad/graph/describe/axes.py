"""Axes in formulas: what is inserted, removed and repeated, as an index or as 𝟏 of a shape.

x_{[:, new]} and x_{[:, 0]} are NumPy's indices: an axis of size 1 is inserted, or taken away.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...shapes import Shape
from .notation import (
    ATOM,
    Piece,
    applied,
    attribute_text,
    filled,
    index_text,
    indexed,
    operator,
    product,
    sized,
)

_NEW = r"\mathrm{new}"


def at(x: Piece, places: Sequence[str]) -> Piece:
    """x at an index that inserts and removes axes; an index that it undoes is left out."""
    undone = [{"0": _NEW, _NEW: "0"}.get(place, place) for place in places]
    before = f"_{{[{', '.join(undone)}]}}"
    if x.level == ATOM and x.latex.endswith(before):
        return Piece(x.latex.removesuffix(before))
    return indexed(x, ", ".join(places))


def inserted(x: Piece, axes: Sequence[int], shape: Shape | None) -> Piece:
    """x with axes inserted at these places of its new shape."""
    if shape is None:
        return Piece(x.within(ATOM) + r"_{[\dots, \mathrm{new}]}")
    return at(x, [_NEW if place in axes else ":" for place in range(len(shape))])


def removed(x: Piece, axes: Sequence[int], given: Sequence[int | None]) -> Piece:
    """x, of shape `given`, without these axes of size 1."""
    if not axes or all(size == 1 for size in given):
        return x
    return at(x, ["0" if place in axes else ":" for place in range(len(given))])


def reshaped(x: Piece, given: Shape | None, shape: Shape | None, asked: object) -> Piece:
    """x in another shape: as an index if that inserts and removes axes of size 1 only."""
    if given is not None and shape is not None:
        if given == shape or all(size == 1 for size in (*given, *shape)):
            return x
        places = _matched(given, shape)
        if places is not None:
            return at(x, places)
    return applied(f"{operator('reshape')}_{{{attribute_text(asked)}}}", [x])


def _matched(given: Shape, shape: Shape) -> list[str] | None:
    """The index that gives x, of shape `given`, the other shape; None if there is none."""
    places: list[str] = []
    old, new = list(given), list(shape)
    while old or new:
        if old and new and old[0] == new[0]:
            places.append(":")
            old.pop(0)
            new.pop(0)
        elif old and old[0] == 1:
            places.append("0")
            old.pop(0)
        elif new and new[0] == 1:
            places.append(_NEW)
            new.pop(0)
        else:
            return None
    return places


def broadcast(x: Piece, given: Shape | None, shape: Sequence[int | None]) -> Piece:
    """x repeated to a shape: x·𝟏 of a number, else the product with 𝟏 of the whole shape."""
    if not shape or given == tuple(shape):
        return x
    ones = sized("1", shape)
    if given == ():
        return filled(x, ones)
    return product(Piece(ones), x, arrays=True)


def placed(x: Piece, index: Sequence[object], shape: Sequence[int | None]) -> Piece:
    """𝟎 of a shape with x at an index; x_{[:, 0]} where that takes axes away and fills it all."""
    if None in index and all(part is None or part == slice(None) for part in index):
        return at(x, ["0" if part is None else ":" for part in index])
    zeros = sized("0", shape)
    return Piece(rf"{{{zeros}}}_{{[{index_text(index)}] \leftarrow {x.latex}}}")


def kept(x: Piece, axes: Sequence[int], ndim: int | None, in_front: int = 0) -> Piece:
    """A reduction that keeps its axes, of size 1: x_{[:, new]}. One number stays as it is: whatever
    its axes, it is the same to every operation. `in_front` axes come before those of x."""
    if not axes:
        return x
    if ndim is None:
        return Piece(x.within(ATOM) + r"_{\mathrm{kept}}")
    new = {axis % ndim for axis in axes}
    if len(new) == ndim:
        return x
    places = [_NEW if place in new else ":" for place in range(ndim)]
    return indexed(x, ", ".join([":"] * in_front + places))
