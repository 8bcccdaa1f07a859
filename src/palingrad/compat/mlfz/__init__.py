"""mlfz's names (Tivadar Danka, "Machine Learning From Zero"): scalars, tensors, models, losses."""

from .functional import numpy, vanilla
from .nn import *  # noqa: F403

__all__ = ["numpy", "vanilla"]
