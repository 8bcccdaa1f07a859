"""JAX, as this folder uses it: its modules, the settings of our calls, and its errors as ours.

No other file of the library imports JAX, and this one is imported with the first Program that is
compiled for the engine.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import jax as _jax  # pyright: ignore[reportMissingImports]
import jax.numpy as _jnp  # pyright: ignore[reportMissingImports]

from ...errors import EngineError, PalingradError
from ...processes import current

jax: Any = _jax
jnp: Any = _jnp
lax: Any = _jax.lax
# What the errors of computations across processes mention.
_TOGETHER = re.compile(
    "gloo|nccl|mpi|collective|coordination|peer|socket|connection", re.IGNORECASE
)


@contextmanager
def settings() -> Generator[None]:
    """64-bit numbers and JAX's standard promotion in this thread, for the time of a call of ours.

    A user's own settings of JAX are neither read nor changed by it.
    """
    with ExitStack() as stack:
        stack.enter_context(jax.enable_x64(True))
        stack.enter_context(jax.numpy_dtype_promotion("standard"))
        stack.enter_context(jax.numpy_rank_promotion("allow"))
        yield


wide = jax.enable_x64  # what a run of compiled code needs of the settings


@contextmanager
def told(what: str) -> Generator[None]:
    """JAX's errors as EngineErrors that say what to do."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        if isinstance(error, PalingradError):
            raise
        raise translated(what, error) from error


def translated(what: str, error: BaseException) -> PalingradError:
    """An error of JAX's as an EngineError that says what to do. Raises ProcessError for one that
    another process has caused."""
    if isinstance(error, PalingradError):
        return error
    message = str(error)
    group = current()
    if group is not None and _TOGETHER.search(message):
        group.blame(error)
    if "RESOURCE_EXHAUSTED" in message or "out of memory" in message.lower():
        return EngineError(
            f"{what}: the device has not enough memory ({_first_line(message)}).",
            hint="Make the batch smaller, or run on the CPU: JAX_PLATFORMS=cpu.",
        )
    if "nable to initialize backend" in message or "nknown backend" in message:
        return EngineError(
            f"{what}: JAX finds no such device ({_first_line(message)}).",
            hint="JAX_PLATFORMS names the platforms to use: unset it, or set it to cpu. A GPU "
            "needs pip install 'jax[cuda12]'.",
        )
    return EngineError(f"{what}: XLA failed: {message}")


def _first_line(message: str) -> str:
    return message.strip().splitlines()[0][:200]


def devices() -> list[Any]:
    """JAX's devices of the default platform. Raises EngineError where there are none."""
    with told("xla"):
        try:
            return jax.devices()
        except AssertionError:  # of JAX 0.10, where a platform that it knows has no device
            raise RuntimeError("Unable to initialize backend: no device was found") from None
