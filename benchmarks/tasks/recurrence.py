"""Gradient of a scan over an 8-vector."""

from transforms import task

TASK = task(
    "Gradient of a scan over an 8-vector",
    10,
    ("recurrence", 5),
    {"1000 steps": ("recurrence", 1000)},
)
