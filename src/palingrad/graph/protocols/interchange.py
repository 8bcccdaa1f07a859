"""Nodes as arrays of other libraries: devices, DLPack, and the array API's namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...messages.checks import shown

VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")  # of the array API standard
_CPU = (1, 0)  # DLPack's kDLCPU, and the number of the device

_namespace: list[Callable[[], Any]] = []


def set_namespace(load: Callable[[], Any]) -> None:
    """Register the function that returns the package, which `__array_namespace__` returns."""
    _namespace[:] = [load]


def namespace() -> Any:
    """The package, with all its functions."""
    return _namespace[0]()


def check_device(device: Any, what: str) -> None:
    """Raise ArgumentError unless the device is None or the CPU."""
    if device is None or device == "cpu" or device == _CPU or str(device) == "cpu":
        return
    raise ArgumentError(
        f"{what}: device is {shown(device)}; values are in main memory, on 'cpu'.",
        hint="Leave it out, or write device='cpu'.",
    )


class Interchange:
    """A node's device, its memory for other libraries (DLPack), and the array API's namespace."""

    @property
    def device(self) -> str:
        """Where the value lies: "cpu", always."""
        return "cpu"

    def to_device(self, device: Any, /, *, stream: Any = None) -> Any:
        """x itself for "cpu", the only device."""
        check_device(device, "to_device")
        if stream is not None:
            raise ArgumentError("to_device: the CPU has no streams.", hint="Leave out stream=.")
        return self

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        if api_version is not None and api_version not in VERSIONS:
            raise ArgumentError(
                f"api_version is {shown(api_version)}; the array API's versions up to "
                f"{VERSIONS[-1]} are there.",
                hint=f"Write api_version={VERSIONS[-1]!r}, or leave it out.",
            )
        return namespace()

    def __dlpack_device__(self) -> tuple[int, int]:
        return _CPU

    def __dlpack__(
        self: Any, *, stream: Any = None, max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None, copy: bool | None = None,
    ) -> Any:  # fmt: skip
        """The value in a DLPack capsule.

        Its memory is shared and marked as read-only, which DLPack can say since its version 1.0; a
        library that asks for an older capsule gets a copy. Raises GradientError while the node is
        being differentiated.
        """
        if stream is not None:
            raise ArgumentError("__dlpack__: the CPU has no streams.", hint="Leave out stream=.")
        if dl_device is not None and tuple(dl_device) != _CPU:
            raise BufferError(f"a value on the CPU can't be exported to the device {dl_device}")
        value = self.numpy()
        if max_version is not None and max_version[0] >= 1 and not copy:
            return value.__dlpack__(max_version=max_version, copy=copy)
        if copy is False:
            raise BufferError("read-only memory can't be shared by DLPack before version 1.0")
        return np.array(value).__dlpack__(max_version=max_version)
