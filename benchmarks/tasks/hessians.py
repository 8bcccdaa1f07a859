"""Hessians: a tridiagonal one, and a dense one."""

from transforms import task

TASK = task(
    "Hessians",
    1,
    ("Hessian", 4),
    {f"Rosenbrock, n = {n}": ("Hessian", n) for n in (10, 100, 1000)}
    | {"log-sum-exp of an affine map, n = 1000": ("Hessian, log-sum-exp", 1000)},
)
