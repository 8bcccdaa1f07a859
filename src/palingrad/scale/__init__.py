"""Meshes of devices, and how arrays are cut over them, for the xla engine (docs/scale.md)."""

from ..engines.placement import Mesh, Placement
from ..messages.names import unknown_name
from .blocks import minimize
from .mesh import mesh
from .processes import initialize, process_count, process_index
from .using import current, use

__all__ = [
    "Mesh",
    "Placement",
    "current",
    "initialize",
    "mesh",
    "minimize",
    "process_count",
    "process_index",
    "use",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, {})


def __dir__() -> list[str]:
    return sorted(__all__)
