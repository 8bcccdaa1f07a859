"""Optimizers, each defined by one pure update rule; learning-rate schedules; gradient clipping."""

from ..messages.elsewhere import OPTIMIZERS
from ..messages.names import unknown_name
from .adagrad import AdaGrad
from .adam import Adam, AdamW
from .base import Optimizer
from .clipping import clip_by_global_norm, clip_by_value, global_norm
from .gradient_descent import GradientDescent, Momentum
from .rmsprop import RMSProp
from .schedules import Schedule, cosine_decay, exponential_decay, piecewise_constant, warmup
from .whole_batch import LBFGS, GaussNewton, LevenbergMarquardt

__all__ = [
    "LBFGS",
    "AdaGrad",
    "Adam",
    "AdamW",
    "GaussNewton",
    "GradientDescent",
    "LevenbergMarquardt",
    "Momentum",
    "Optimizer",
    "RMSProp",
    "Schedule",
    "clip_by_global_norm",
    "clip_by_value",
    "cosine_decay",
    "exponential_decay",
    "global_norm",
    "piecewise_constant",
    "warmup",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, OPTIMIZERS)


def __dir__() -> list[str]:
    return sorted(__all__)
