"""The parameter server, which is refused."""

from ..refusals import Refused

__all__ = ["ParameterServiceServer", "ps"]


class ParameterServiceServer(Refused):
    """Refused."""


class ps:
    """MatrixSlow's module of that name."""

    ParameterServiceServer = ParameterServiceServer
