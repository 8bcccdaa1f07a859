"""CNNs of sizes for which nothing was tuned."""

from networks import cnn
from task import Task, training

TASK = Task(
    title="Training step of other CNNs",
    cases=(
        training(cnn(28, 3, (16,), 10, batch=64), "3×3×16, pool, 10; batch 64", shown=True),
        training(
            cnn(32, 3, (24, 40), 100, 7, batch=33),
            "32×32: 3×3×24, pool, 3×3×40, pool, 100, 7; batch 33",
        ),
    ),
    tiny=training(cnn(4, 3, (2,), 3, batch=1), "3×3×2, pool, 3; batch 1"),
    make=lambda framework, network: framework.train(network),
    goal=1.5,
    seconds=0.3,
)
