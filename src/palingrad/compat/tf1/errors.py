"""Errors by TensorFlow's names."""

from ...errors import FeedError, GraphError, PalingradError

OpError = PalingradError


class FailedPreconditionError(GraphError):
    """A Variable without a value."""


class InvalidArgumentError(FeedError):
    """A placeholder that isn't fed, or fed what it can't take."""
