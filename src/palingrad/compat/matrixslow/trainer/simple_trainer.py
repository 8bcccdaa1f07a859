"""SimpleTrainer, where MatrixSlow has it."""

from .trainer import SimpleTrainer

__all__ = ["SimpleTrainer"]
