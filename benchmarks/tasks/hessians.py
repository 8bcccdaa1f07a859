"""Hessians: a tridiagonal one, and a dense one."""

from task import Case, Task
from transforms import arrays_of

TASK = Task(
    title="Hessians",
    cases=(
        *(Case(f"Rosenbrock, n = {n}", ("Hessian", n)) for n in (10, 100, 1000)),
        Case("log-sum-exp of an affine map, n = 1000", ("Hessian, log-sum-exp", 1000), shown=True),
    ),
    tiny=Case("Rosenbrock, n = 4", ("Hessian", 4)),
    make=lambda framework, given: framework.transform(given[0], *arrays_of(*given)),
    goals={"JAX": 1},
    contenders=("palingrad", "JAX"),
    peers=("JAX",),
)
