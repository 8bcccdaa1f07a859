"""`tensorflow.compat.v1`: the same names."""

from . import v1 as v1
