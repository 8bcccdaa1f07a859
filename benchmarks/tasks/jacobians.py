"""Jacobians of Rosenbrock's residuals."""

from task import Case, Task
from transforms import arrays_of

TASK = Task(
    title="Jacobians of Rosenbrock's residuals",
    cases=(
        Case("n = 10", ("Jacobian", 10), shown=False),
        Case("n = 100", ("Jacobian", 100), shown=False),
        Case("n = 1000", ("Jacobian", 1000), shown=True),
    ),
    tiny=Case("n = 10", ("Jacobian", 10)),
    make=lambda framework, given: framework.transform(given[0], *arrays_of(*given)),
    goal=1,
    contenders=("palingrad", "JAX"),
    peers=("JAX",),
)
