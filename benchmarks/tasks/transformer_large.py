"""A larger transformer, whose time is mostly matrix products."""

from task import Task, training
from transformer import Transformer

TASK = Task(
    title="Training step of a larger transformer",
    cases=(
        training(
            Transformer(6, 6, 384, tokens=256, batch=4),
            "6 layers, width 384, 256 tokens, batch 4",
            shown=True,
        ),
    ),
    tiny=training(
        Transformer(2, 1, 6, tokens=3, batch=3, vocabulary=5),
        "2 layers, width 6, 3 tokens, batch 3",
    ),
    make=lambda framework, network: framework.train_transformer(network),
    goal=1.3,
    seconds=2,
)
