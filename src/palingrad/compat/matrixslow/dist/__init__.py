"""MatrixSlow's `dist`: the parameter server and ring all-reduce, over TCP of the standard library."""

from . import allreduce, ps
from .messages import WorkerError

__all__ = ["WorkerError", "allreduce", "ps"]
