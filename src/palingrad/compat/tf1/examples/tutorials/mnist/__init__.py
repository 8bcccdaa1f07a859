"""MNIST, as the tutorials read it."""

from . import input_data

__all__ = ["input_data"]
