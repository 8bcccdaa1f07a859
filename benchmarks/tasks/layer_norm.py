"""Layer norm with scale and offset."""

from task import numbers

from tasks.rows import task

TASK = task(
    "Layer norm of rows of 1000",
    "layer_norm",
    also=lambda columns: (numbers(columns, seed=1), numbers(columns, seed=2)),
)
