"""Gradients of each example, MLP 784-100-20-10."""

from transforms import task

TASK = task(
    "Gradients of each example, MLP 784-100-20-10",
    1.5,
    ("per example", 3),
    {"batch 64": ("per example", 64)},
)
