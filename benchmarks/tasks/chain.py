"""A chain of ten elementwise operations."""

from tasks.rows import task

TASK = task("A chain of ten elementwise operations", "chain", goal=1.3, flat=True)
