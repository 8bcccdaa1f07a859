"""MatrixSlow's `util`: MNIST, and classes by name."""

from .util import ClassMining, mnist

__all__ = ["ClassMining", "mnist"]
