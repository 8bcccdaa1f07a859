"""Inference: the scores of one example, as a NumPy array."""

from networks import mlp
from task import Case, Task

TASK = Task(
    title="Inference, batch 1",
    cases=(
        Case("784-100-20-10", mlp(784, 100, 20, 10, batch=1), shown=True),
        Case("784-512-512-10", mlp(784, 512, 512, 10, batch=1)),
    ),
    tiny=Case("5-4-3", mlp(5, 4, 3, batch=1)),
    make=lambda framework, network: framework.infer(network),
    goal=3,
)
