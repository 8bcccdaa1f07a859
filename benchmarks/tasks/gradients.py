"""Rosenbrock's function with its gradient."""

from transforms import task

TASK = task(
    "Rosenbrock's function with its gradient",
    3,
    ("gradient", 10),
    {f"n = {n}": ("gradient", n) for n in (10, 100, 1000)},
)
