"""mlfz's `nn`: scalars, tensors, models."""

from .model import Model
from .scalar import *  # noqa: F403
from .scalar import Scalar
from .tensor import *  # noqa: F403
from .tensor import Tensor

__all__ = ["Model", "Scalar", "Tensor"]
