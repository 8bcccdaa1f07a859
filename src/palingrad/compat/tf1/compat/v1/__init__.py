"""`import tensorflow.compat.v1 as tf`: the names of `tensorflow`."""

from typing import Any

from ...names import *  # noqa: F403
from ...names import __all__ as _names, __version__ as __version__, _missing


def __getattr__(name: str) -> Any:
    raise _missing("tf.compat.v1", name, NAMES)
