"""The gRPC server of models, which is refused."""

from .refusals import Refused

__all__ = ["MatrixSlowServer"]


class MatrixSlowServer(Refused):
    """Refused."""

    hint = "Load the model with Saver, set the input, and run output.forward()."
