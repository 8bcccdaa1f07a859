"""Softmax of rows of 1000."""

from tasks.rows import task

TASK = task("Softmax of rows of 1000", "softmax")
