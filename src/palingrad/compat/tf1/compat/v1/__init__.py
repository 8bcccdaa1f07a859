"""`import tensorflow.compat.v1 as tf`: the names of `tensorflow`."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    return getattr(import_module("palingrad.compat.tf1"), name)
