"""Optimizers, learning-rate schedules, and saved Variables, by TensorFlow's names."""

from typing import Any

from ..framework.graph import missing
from .optimizers import (
    AdadeltaOptimizer,
    AdagradOptimizer,
    AdamOptimizer,
    GradientDescentOptimizer,
    MomentumOptimizer,
    Optimizer,
    RMSPropOptimizer,
)
from .saver import Saver, checkpoint_exists, latest_checkpoint
from .schedules import (
    create_global_step,
    exponential_decay,
    get_global_step,
    get_or_create_global_step,
    global_step,
    inverse_time_decay,
    piecewise_constant,
    polynomial_decay,
)

__all__ = [
    "AdadeltaOptimizer", "AdagradOptimizer", "AdamOptimizer", "GradientDescentOptimizer",
    "MomentumOptimizer", "Optimizer", "RMSPropOptimizer", "Saver", "checkpoint_exists",
    "create_global_step", "exponential_decay", "get_global_step", "get_or_create_global_step",
    "global_step", "inverse_time_decay", "latest_checkpoint", "piecewise_constant",
    "polynomial_decay",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    raise missing("tf.train", name, __all__)
