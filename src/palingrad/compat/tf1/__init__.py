"""TensorFlow 1's names for graphs: `import tensorflow as tf`, answered by palingrad.

A tensor's `node` and a graph's `built` are palingrad's. Left out on purpose: `tf.estimator`,
`tf.data`, queues, eager execution, control flow in the graph.
"""

from typing import Any

from . import compat as compat
from .names import *  # noqa: F403
from .names import __all__ as _names, __version__ as __version__, _missing


def __getattr__(name: str) -> Any:
    raise _missing("tf", name, NAMES)
