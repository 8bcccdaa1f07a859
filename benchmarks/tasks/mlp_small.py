"""A small MLP, whose overhead costs as much as its arithmetic."""

from contenders import NATIVE, PEERS
from networks import mlp
from task import Task, training

TASK = Task(
    title="Training step of a small MLP",
    cases=(training(mlp(784, 100, 20, 10, batch=64), "784-100-20-10, batch 64", shown=True),),
    tiny=training(mlp(5, 4, 3, batch=2), "5-4-3, batch 2"),
    make=lambda framework, network: framework.train(network),
    goal=2.5,
    contenders=(NATIVE, "palingrad, numpy", "NumPy", *PEERS),
)
