"""A larger MLP, whose time is mostly matrix products and the update."""

from networks import mlp
from task import Task, training

TASK = Task(
    title="Training step of a larger MLP",
    cases=(training(mlp(784, 512, 512, 10, batch=128), "784-512-512-10, batch 128", shown=True),),
    tiny=training(mlp(9, 8, 7, 2, batch=5), "9-8-7-2, batch 5"),
    make=lambda framework, network: framework.train(network),
    goal=1.5,
)
