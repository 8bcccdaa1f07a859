"""The trainers of several processes, which are refused."""

from ..refusals import Refused

__all__ = ["DistTrainerParameterServer", "DistTrainerRingAllReduce"]


class DistTrainerParameterServer(Refused):
    """Refused."""


class DistTrainerRingAllReduce(Refused):
    """Refused."""
