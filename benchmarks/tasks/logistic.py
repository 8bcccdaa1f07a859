"""Logistic regression, whose time is overhead: it has hardly any arithmetic."""

from networks import mlp
from task import Task, training

TASK = Task(
    title="Training step of logistic regression",
    cases=(training(mlp(20, 1, batch=32), "20 features, batch 32", shown=True),),
    tiny=training(mlp(3, 1, batch=2), "3 features, batch 2"),
    make=lambda framework, network: framework.train(network),
    goal=3,
)
