"""Running totals: what scans compute, the loops around them, and the code within a vector."""

from .elements import fits as fits
from .kernel import SCAN as SCAN
