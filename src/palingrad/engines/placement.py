"""Meshes of devices, and where a Program's arrays lie on one. This file works without JAX.

A Mesh has named axes, such as `data` and `model`. A spec says for each axis of an array over which
axis of the mesh it is cut: ("model", None) cuts rows over `model`, () keeps the array whole on
each device. A Placement says both for the Variables and feeds of the Programs compiled under it.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

from ..graph.context import context

Axes: TypeAlias = "str | tuple[str, ...] | None"  # over which one axis of an array is cut
Spec: TypeAlias = "tuple[Axes, ...]"
Rules: TypeAlias = "tuple[tuple[str, Spec], ...]"  # patterns of names, the first that fits decides
Scheme: TypeAlias = "str | Rules"

DATA, MODEL = "data", "model"  # the axes that the schemes know
BLOCKS = 8  # of a batch, where numbers don't depend on the number of devices


@dataclass(frozen=True)
class Mesh:
    """Devices in a grid with named axes. `pg.scale.mesh` makes one.

    >>> from palingrad.engines.placement import Mesh
    >>> Mesh(("data", "model"), (4, 2))
    Mesh(data=4, model=2)
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]

    @property
    def shape(self) -> dict[str, int]:
        """The number of devices along each axis."""
        return dict(self)

    @property
    def size(self) -> int:
        """The number of devices."""
        return prod(self.sizes)

    def along(self, axes: Axes) -> int:
        """The number of parts into which these axes cut; 1 for axes that it hasn't."""
        names = (axes,) if isinstance(axes, str) else axes or ()
        return prod(self.shape.get(name, 1) for name in names)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(zip(self.names, self.sizes, strict=True))

    def __repr__(self) -> str:
        return f"Mesh({', '.join(f'{name}={size}' for name, size in self)})"


@dataclass(frozen=True)
class Placement:
    """Where the arrays of a Program lie: compared by value, the model by identity.

    schemes: "replicated", "fully_sharded", "tensor", or rules by patterns of Variables' names.
    inputs: rules by the names of feeds; others are cut over `data` along their first axis.
    uneven: whether a feed that can't be cut evenly is kept whole, not refused. blocks: the number
    of blocks of a batch, if numbers are to be the same on any number of devices.
    """

    mesh: Mesh
    schemes: tuple[Scheme, ...] = ("replicated",)
    inputs: Rules = ()
    uneven: bool = False
    blocks: int | None = None
    model: weakref.ref[Any] | None = None  # whose names of Variables the patterns are for


def current() -> Placement | None:
    """The placement that the calling thread has in use."""
    return context().placement
