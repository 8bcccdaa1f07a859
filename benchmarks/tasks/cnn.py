"""The network of `palingrad train --model cnn`, on images of 28 × 28."""

from networks import cnn
from task import Task, training

TASK = Task(
    title="Training step of a CNN",
    cases=(
        training(
            cnn(28, 5, (32, 64), 512, 10, batch=128),
            "5×5×32, pool, 5×5×64, pool, 512, 10; batch 128",
            shown=True,
        ),
    ),
    tiny=training(cnn(8, 5, (2, 3), 4, 3, batch=2), "5×5×2, pool, 5×5×3, pool, 4, 3; batch 2"),
    make=lambda framework, network: framework.train(network),
    goal=1.5,
    seconds=0.4,
)
