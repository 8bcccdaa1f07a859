"""`import tensorflow.compat.v1 as tf`: the names of `tensorflow`."""

from typing import Any as _Any

from ... import names as _all
from ...names import *  # noqa: F403
from ...names import __version__ as __version__


def __getattr__(name: str) -> _Any:
    raise _all.refusal("tf.compat.v1", name)
