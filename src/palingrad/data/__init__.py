"""Image data sets, included or downloaded and verified, and mini-batches of them.

>>> from palingrad import data
>>> digits = data.load("digits")
>>> digits.train.images.shape
(1437, 8, 8)
"""

from ..messages.elsewhere import DATA
from ..messages.names import unknown_name
from .batching import batches
from .catalogue import class_names, describe, load, names
from .clicks import synthetic_clicks
from .dataset import Dataset, Split
from .idx import read_idx
from .image_folder import read_images
from .table import read_table
from .text import read_text

__all__ = [
    "Dataset",
    "Split",
    "batches",
    "class_names",
    "describe",
    "load",
    "names",
    "read_idx",
    "read_images",
    "read_table",
    "read_text",
    "synthetic_clicks",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, DATA)


def __dir__() -> list[str]:
    return sorted(__all__)
