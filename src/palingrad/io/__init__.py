"""Checkpoints: saves Variables and metadata to files, and restores them.

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
from .restore import restore

__all__ = ["Checkpoint", "load_checkpoint", "restore", "save_checkpoint"]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, {})


def __dir__() -> list[str]:
    return sorted(__all__)
