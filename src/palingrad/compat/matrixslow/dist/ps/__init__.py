"""The parameter server, where MatrixSlow has it."""

from . import ps
from .ps import ParameterServiceClient, ParameterServiceServer

__all__ = ["ParameterServiceClient", "ParameterServiceServer", "ps"]
