"""micrograd's names (Andrej Karpathy, github.com/karpathy/micrograd): `engine`, `nn`, `draw_dot`."""

from . import engine, nn
from .drawing import draw_dot, trace

__all__ = ["draw_dot", "engine", "nn", "trace"]
