"""Gradient of a scan over an 8-vector."""

from task import Case, Task
from transforms import arrays_of

TASK = Task(
    title="Gradient of a scan over an 8-vector",
    cases=(Case("1000 steps", ("recurrence", 1000), shown=True),),
    tiny=Case("5 steps", ("recurrence", 5)),
    make=lambda framework, given: framework.transform(given[0], *arrays_of(*given)),
    goal=10,
    contenders=("palingrad", "JAX"),
    peers=("JAX",),
)
