"""Gradient of an LSTM, batch 32, hidden 128."""

from transforms import task

TASK = task(
    "Gradient of an LSTM, batch 32, hidden 128",
    3,
    ("LSTM", 3),
    {"64 steps": ("LSTM", 64)},
)
