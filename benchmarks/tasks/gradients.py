"""Rosenbrock's function with its gradient."""

from task import Case, Task
from transforms import arrays_of

TASK = Task(
    title="Rosenbrock's function with its gradient",
    cases=(
        Case("n = 10", ("gradient", 10), shown=False),
        Case("n = 100", ("gradient", 100), shown=False),
        Case("n = 1000", ("gradient", 1000), shown=True),
    ),
    tiny=Case("n = 10", ("gradient", 10)),
    make=lambda framework, given: framework.transform(given[0], *arrays_of(*given)),
    goal=3,
    contenders=("palingrad", "JAX"),
    peers=("JAX",),
)
