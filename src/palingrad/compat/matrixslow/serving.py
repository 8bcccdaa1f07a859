"""The gRPC server of models, which is refused."""

from __future__ import annotations

from typing import Any

from ...errors import GraphError

__all__ = ["MatrixSlowServer"]


class MatrixSlowServer:
    """Refused."""

    def __init__(self, *args: Any, **kargs: Any) -> None:
        raise GraphError(
            "MatrixSlowServer: a gRPC server isn't part of palingrad",
            hint="Load the model with Saver, set the input, and run output.forward().",
        )
