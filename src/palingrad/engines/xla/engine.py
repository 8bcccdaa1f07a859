"""The entry of the xla engine, which works without JAX: it says how to install it."""

from __future__ import annotations

import importlib.util

from ...errors import EngineError
from ...graph.state.imports import imported
from ...passes.program import Program
from ..base import Executable
from ..placement import Placement


class XlaEngine:
    """Compiles a Program with XLA, through JAX; needs JAX. With a precision, `"bfloat16"`, float32
    is computed in it (`precision.py`)."""

    def __init__(
        self,
        name: str = "xla",
        precision: str | None = None,
        placement: Placement | None = None,
    ) -> None:
        self.name, self.precision, self.placement = name, precision, placement

    def compile(self, program: Program) -> Executable:
        """The program as one XLA computation, on JAX's default device or on a mesh."""
        check_installed()
        imported(f"{__package__}.executable")
        from .executable import XlaExecutable

        return XlaExecutable(program, self.precision, self.placement)


def is_installed() -> bool:
    """Whether JAX is there to be imported."""
    return importlib.util.find_spec("jax") is not None


def check_installed() -> None:
    """Raise EngineError without JAX."""
    if not is_installed():
        raise EngineError(
            "the xla engine needs JAX, which isn't installed", hint="pip install palingrad[xla]"
        )


def device_names() -> list[str]:
    """The devices that JAX has, such as "cpu:0". Raises EngineError without JAX or devices."""
    check_installed()
    imported(f"{__package__}.jaxlib")
    from .jaxlib import devices

    return [f"{one.platform}:{one.id}" for one in devices()]


def describe() -> list[tuple[str, str]]:
    """(property, value) for `palingrad info`: JAX's version and devices."""
    if not is_installed():
        return [("xla", "JAX isn't installed: pip install palingrad[xla]")]
    imported(f"{__package__}.jaxlib")
    from .jaxlib import devices, jax

    try:
        found = devices()
    except EngineError as error:
        return [("xla", f"JAX {jax.__version__}, {error.fact}")]
    kinds = [f"{one.platform}:{one.id} {one.device_kind}" for one in found]
    return [("xla", f"JAX {jax.__version__} on {', '.join(kinds)}")]
