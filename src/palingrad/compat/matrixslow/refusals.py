"""What palingrad doesn't have of MatrixSlow: refused by name."""

from __future__ import annotations

from typing import Any, NoReturn

from ...errors import GraphError

REASON = "gRPC servers and trainers of several processes aren't part of palingrad"


class Refused:
    """A class of MatrixSlow that raises GraphError when it is used."""

    hint = "Train in one process: SimpleTrainer."

    def __init__(self, *args: Any, **kargs: Any) -> None:
        self.refuse()

    @classmethod
    def refuse(cls) -> NoReturn:
        """Raises GraphError."""
        raise GraphError(f"{cls.__name__}: {REASON}", hint=cls.hint)
