"""Jacobians of Rosenbrock's residuals."""

from transforms import task

TASK = task(
    "Jacobians of Rosenbrock's residuals",
    1,
    ("Jacobian", 10),
    {f"n = {n}": ("Jacobian", n) for n in (10, 100, 1000)},
)
