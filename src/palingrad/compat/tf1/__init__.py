"""TensorFlow 1's names for graphs: `import tensorflow as tf`, answered by palingrad.

A tensor's `node` and a graph's `built` are palingrad's. Left out on purpose: `tf.estimator`,
`tf.data`, queues, eager execution, control flow in the graph.
"""

from typing import Any as _Any

from . import compat as compat, names as _all
from .names import *  # noqa: F403
from .names import __version__ as __version__


def __getattr__(name: str) -> _Any:
    raise _all.refusal("tf", name)
