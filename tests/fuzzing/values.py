"""Random dtypes, shapes, arrays and leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fuzzing.program import Array, Leaf, Role
from palingrad.dtypes import DTYPES

FLOATS = tuple(np.dtype(f"f{size}") for size in (2, 4, 8))
INTEGERS = tuple(sorted((d for d in DTYPES if d.kind in "iu"), key=str))
BOOL = np.dtype(bool)

_SIZES = np.array([0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33])
_SIZE_CHANCES = np.array([3, 12, 14, 18, 14, 12, 8, 5, 4, 4, 3, 3]) / 100
_RANK_CHANCES = np.array([10, 30, 38, 16, 6]) / 100
_LARGE = (64, 257, 1000, 2049, 5000)
_SPECIAL = (0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-30, 3e4, 0.5, -0.5, 1e-7)


@dataclass(frozen=True)
class Palette:
    """What the leaves of one graph look like, so that some of them fit together."""

    floats: tuple[np.dtype[Any], ...]
    integers: tuple[np.dtype[Any], ...]
    shapes: tuple[tuple[int, ...], ...]
    special: float  # the chance that an element is a special value
    open: float  # the chance that a placeholder leaves something open

    @staticmethod
    def drawn(rng: np.random.Generator, *, half: bool = False, large: bool = False) -> Palette:
        """A palette; `half` allows float16, `large` adds a long axis."""
        floats = [FLOATS[1], FLOATS[2]] + [FLOATS[0]] * 2 * half
        count = int(rng.integers(1, 3))
        shapes = [shape(rng) for _ in range(4)]
        if large:
            shapes += [(int(rng.choice(_LARGE)), *one[:1]) for one in shapes[:2]]
            shapes += [(*one[:1], int(rng.choice(_LARGE))) for one in shapes[:2]]
        return Palette(
            tuple(floats[i] for i in rng.integers(len(floats), size=count)) + (FLOATS[0],) * half,
            tuple(INTEGERS[i] for i in rng.integers(len(INTEGERS), size=2)),
            tuple(shapes),
            float(rng.choice([0, 0, 0, 0.1])),
            float(rng.choice([0, 0, 0.5])),
        )

    def shape(self, rng: np.random.Generator) -> tuple[int, ...]:
        """One of the palette's shapes, or what broadcasts to one."""
        found = self.shapes[rng.integers(len(self.shapes))]
        if rng.random() < 0.25:
            found = found[rng.integers(len(found) + 1) :]
        if rng.random() < 0.2:
            found = tuple(1 if rng.random() < 0.5 else size for size in found)
        return found

    def dtype(self, rng: np.random.Generator, kind: str) -> np.dtype[Any]:
        """One of the palette's dtypes of a kind, b, i (of either sign) or f."""
        if kind == "b":
            return BOOL
        choices = self.floats if kind == "f" else self.integers
        return choices[rng.integers(len(choices))]

    def array(
        self, rng: np.random.Generator, kind: str, shape: tuple[int, ...], low: float, high: float
    ) -> Array:
        """Numbers of a kind between two bounds, some of them special."""
        dtype = self.dtype(rng, kind)
        with np.errstate(all="ignore"):
            if kind == "b":
                return np.asarray(rng.random(shape) < 0.5)
            if kind == "f":
                array = np.asarray(rng.uniform(low, high, shape)).astype(dtype)
                marked = np.asarray(rng.random(shape) < self.special)
                array[marked] = rng.choice(_SPECIAL, int(marked.sum())).astype(dtype)
                return array
            info = np.iinfo(dtype)
            array = np.asarray(
                rng.integers(max(int(low), int(info.min)), max(int(high), 1) + 1, shape)
            )
            if rng.random() < 0.2:
                ends = np.array([info.min, info.max, 0], dtype)
                marked = rng.random(shape) < self.special
                return np.where(marked, rng.choice(ends, shape), array.astype(dtype))
            return array.astype(dtype)


def shape(rng: np.random.Generator) -> tuple[int, ...]:
    """A small shape of up to four axes."""
    rank = rng.choice(5, p=_RANK_CHANCES)
    return tuple(int(size) for size in rng.choice(_SIZES, rank, p=_SIZE_CHANCES))


def leaf(rng: np.random.Generator, array: Array, palette: Palette) -> Leaf:
    """A leaf with this array, in a role drawn at random."""
    array = np.array(array)
    role = Role(rng.choice([1, 1, 1, 2, 3]))
    if role is Role.VARIABLE and array.shape == (2,) and array.dtype == np.uint64:
        role = Role.CONSTANT  # as a Variable it could be a generator, which moves on by itself
    if role is not Role.PLACEHOLDER:
        return Leaf(array, role)
    shape: Any = array.shape
    if rng.random() < palette.open:
        shape = tuple(None if rng.random() < 0.5 else size for size in array.shape)
        shape = None if rng.random() < 0.5 else shape
    dtype = None if rng.random() < palette.open / 2 else array.dtype
    return Leaf(array, role, shape, dtype)
