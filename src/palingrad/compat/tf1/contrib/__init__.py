"""The parts of tf.contrib that are here."""

from typing import Any

from ..framework.graph import missing
from . import layers, rnn

__all__ = ["layers", "rnn"]


def __getattr__(name: str) -> Any:
    raise missing("tf.contrib", name, __all__)
