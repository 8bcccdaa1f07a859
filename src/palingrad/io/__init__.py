"""Checkpoints: saves Variables and metadata to files, and restores them; and whole models.

>>> import tempfile
>>> import palingrad as pg
>>> w = pg.Variable([1.0, 2.0])
>>> with tempfile.TemporaryDirectory() as folder:
...     _ = save_checkpoint(folder, {"w": w}, meta={"epoch": 3})
...     checkpoint = load_checkpoint(folder)
>>> _ = w.assign([0.0, 0.0])
>>> _ = restore({"w": w}, checkpoint)
>>> w.value, checkpoint.meta
(array([1., 2.], dtype=float32), {'epoch': 3})
"""

from ..messages.names import unknown_name
from .checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from .model import SavedModel, load_model, save_model
from .restore import restore

__all__ = [
    "Checkpoint",
    "SavedModel",
    "load_checkpoint",
    "load_model",
    "restore",
    "save_checkpoint",
    "save_model",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, {})


def __dir__() -> list[str]:
    return sorted(__all__)
