"""`load`: the model in an ONNX file."""

from __future__ import annotations

from typing import Any

from ...messages.checks import flag
from .files import model_in
from .model import OnnxModel


def load(path: Any, trainable: bool) -> OnnxModel:
    """The model; see `palingrad.onnx.load`."""
    trainable = flag("onnx.load: trainable", trainable)
    model, folder = model_in(path)
    return OnnxModel(model, folder, trainable)
