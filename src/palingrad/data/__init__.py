"""Image data sets, included or downloaded and verified, and mini-batches of them.

>>> from palingrad import data
>>> digits = data.load("digits")
>>> digits.train.images.shape
(1437, 8, 8)
"""

from ..messages.elsewhere import DATA
from ..messages.names import unknown_name
from .batching import batches
from .catalogue import describe, load, names
from .dataset import Dataset, Split
from .idx import read_idx

__all__ = ["Dataset", "Split", "batches", "describe", "load", "names", "read_idx"]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, DATA)


def __dir__() -> list[str]:
    return sorted(__all__)
