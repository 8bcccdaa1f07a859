"""Scalars: graphs of single numbers, recorded as they are written and computed many at once.

`scalar.py` has the class, `grouping.py` finds the operations that can be computed together, and
`structure.py` makes Programs of them.
"""

from .recording import ScalarOperation, code_of
from .scalar import Scalar

__all__ = ["Scalar", "ScalarOperation", "code_of"]
