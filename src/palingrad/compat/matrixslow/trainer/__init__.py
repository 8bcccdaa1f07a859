"""MatrixSlow's `trainer`."""

from .dist_trainer import DistTrainerParameterServer, DistTrainerRingAllReduce
from .saver import Saver
from .trainer import SimpleTrainer, Trainer

__all__ = [
    "DistTrainerParameterServer",
    "DistTrainerRingAllReduce",
    "Saver",
    "SimpleTrainer",
    "Trainer",
]
