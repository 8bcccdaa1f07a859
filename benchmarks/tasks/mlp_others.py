"""MLPs of sizes for which nothing was tuned."""

from networks import mlp
from task import Task, training

TASK = Task(
    title="Training step of other MLPs",
    cases=(
        training(mlp(784, 256, 10, batch=32), "784-256-10, batch 32", shown=True),
        training(mlp(100, 1000, 1000, 5, batch=17), "100-1000-1000-5, batch 17", shown=True),
        training(mlp(64, 32, 10, batch=256), "64-32-10, batch 256"),
        training(mlp(13, 37, 41, 3, batch=50), "13-37-41-3, batch 50"),
        training(mlp(784, 1024, 1024, 10, batch=512), "784-1024-1024-10, batch 512"),
    ),
    tiny=training(mlp(3, 1, 2, batch=1), "3-1-2, batch 1"),
    make=lambda framework, network: framework.train(network),
    goal=1.5,
)
