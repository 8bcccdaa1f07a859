"""The network of `mlp_small`, trained in a Python loop that isn't compiled."""

from contenders import NATIVE
from networks import mlp
from task import Task, training

TASK = Task(
    title="Training in an eager loop",
    cases=(training(mlp(784, 100, 20, 10, batch=64), "784-100-20-10, batch 64"),),
    tiny=training(mlp(5, 4, 3, batch=2), "5-4-3, batch 2"),
    make=lambda framework, network: framework.eager_train(network),
    goal=1.2,
    contenders=(NATIVE, "PyTorch"),
    peers=("PyTorch",),
)
