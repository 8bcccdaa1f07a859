"""Ring all-reduce."""

from .allreduce import Ring

__all__ = ["Ring"]
