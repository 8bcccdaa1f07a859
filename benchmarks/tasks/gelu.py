"""GELU (with erf)."""

from tasks.rows import task

TASK = task("GELU (with erf)", "gelu", flat=True)
