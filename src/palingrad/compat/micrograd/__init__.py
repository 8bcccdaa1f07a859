"""micrograd's names (Andrej Karpathy, 2020): `engine`, `nn`, and `draw_dot` of its notebook."""

from . import engine, nn
from .drawing import draw_dot, trace

__all__ = ["draw_dot", "engine", "nn", "trace"]
