"""Meshes: grids of the devices that JAX has, with named axes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from re import fullmatch
from typing import Any

from ..engines.placement import Mesh
from ..engines.xla.engine import device_names
from ..errors import ArgumentError, EngineError
from ..messages.calls import public
from ..messages.checks import shown, whole
from ..processes import count
from .processes import initialize_if_launched

_MORE = (
    "On a CPU, XLA_FLAGS=--xla_force_host_platform_device_count={count} in the environment makes "
    "that many devices."
)


@public
def mesh(axes: Mapping[str, int]) -> Mesh:
    """Devices in a grid: mesh({"data": 4, "model": 2}) has eight.

    Batches are cut over the axis `data`, and by `sharding="tensor"` matrices over `model`; other
    axes are for rules of your own. One size may be −1: as many as there are devices left. The first
    devices are taken. Raises EngineError if there are too few.
    """
    initialize_if_launched()
    sizes = _checked(axes)
    known = prod(size for size in sizes.values() if size != -1)
    names = device_names()
    uneven = -1 in sizes.values() and len(names) % known > 0
    if known > len(names) or uneven:
        listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
        text = ", ".join(f"{name}={size}" for name, size in sizes.items())
        raise EngineError(
            f"mesh: {text} needs {'a multiple of ' if uneven else ''}{known} devices, and JAX has "
            f"{len(names)}: {listed}.",
            hint=_MORE.format(count=known)
            if known > len(names)
            else f"Write numbers whose product is at most {len(names)}.",
        )
    if count() > 1 and -1 not in sizes.values() and known != len(names):
        raise EngineError(
            f"mesh: {known} devices of {len(names)}: where there are several processes a mesh has "
            "all their devices.",
            hint="Write -1 for one of the sizes, or start fewer processes.",
        )
    left = len(names) // known
    return Mesh(tuple(sizes), tuple(left if size == -1 else size for size in sizes.values()))


def parsed(text: str) -> dict[str, int]:
    """The axes of "data=4,model=2", as the command line takes them."""
    found: dict[str, int] = {}
    for part in text.split(","):
        name, sign, size = part.strip().partition("=")
        if not sign or not fullmatch(r"-?[0-9]+", size.strip()) or name.strip() in found:
            raise ArgumentError(
                f"mesh: {text!r:.60} isn't a mesh.", hint="Write --mesh data=4 or data=4,model=2."
            )
        found[name.strip()] = int(size)
    return _checked(found)


def _checked(axes: Any) -> dict[str, int]:
    if not isinstance(axes, Mapping) or not axes:
        raise ArgumentError(
            f"mesh: expected names and sizes of axes, got {shown(axes)}.",
            hint='Write mesh({"data": 4}), or {"data": 2, "model": 2}.',
        )
    given: Mapping[Any, Any] = axes
    sizes: dict[str, int] = {}
    for name, size in given.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise ArgumentError(f"mesh: {shown(name)} isn't a name of an axis.",
                                hint='Write mesh({"data": 4}).')  # fmt: skip
        free = type(size) is int and size == -1
        sizes[name] = -1 if free else whole(f"mesh: {name}", size, least=1, like=4)
    if list(sizes.values()).count(-1) > 1:
        raise ArgumentError("mesh: more than one size is −1.", hint="Write numbers for the others.")
    return sizes
