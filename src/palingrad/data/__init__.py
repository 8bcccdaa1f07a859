"""Image data sets, included or downloaded and verified, and mini-batches of them.

>>> from palingrad import data
>>> digits = data.load("digits")
>>> digits.train.images.shape
(1437, 8, 8)
"""

from .batching import batches
from .catalogue import describe, load, names
from .dataset import Dataset, Split
from .idx import read_idx

__all__ = ["Dataset", "Split", "batches", "describe", "load", "names", "read_idx"]
