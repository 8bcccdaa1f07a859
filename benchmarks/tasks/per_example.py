"""Gradients of each example, MLP 784-100-20-10."""

from task import Case, Task
from transforms import arrays_of

TASK = Task(
    title="Gradients of each example, MLP 784-100-20-10",
    cases=(Case("batch 64", ("per example", 64), shown=True),),
    tiny=Case("batch 3", ("per example", 3)),
    make=lambda framework, given: framework.transform(given[0], *arrays_of(*given)),
    goal=1.5,
    contenders=("palingrad", "JAX"),
    peers=("JAX",),
)
