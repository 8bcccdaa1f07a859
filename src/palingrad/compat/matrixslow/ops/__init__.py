"""MatrixSlow's `ops`: operations, losses and metrics."""

from . import loss, metrics
from .loss import *  # noqa: F403
from .metrics import *  # noqa: F403
from .ops import *  # noqa: F403
from .ops import __all__ as _operations

__all__ = [*_operations, *loss.__all__, *metrics.__all__]  # noqa: PLE0604
