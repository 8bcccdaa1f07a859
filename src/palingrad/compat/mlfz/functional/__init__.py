"""mlfz's `functional`: activation functions of plain arrays and numbers, and their derivatives."""

from . import numpy, vanilla

__all__ = ["numpy", "vanilla"]
