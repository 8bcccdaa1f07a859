"""A small transformer for characters, as it is trained on a CPU."""

from task import Task, training
from transformer import Transformer

TASK = Task(
    title="Training step of a small transformer",
    cases=(
        training(
            Transformer(4, 4, 128, tokens=64, batch=12),
            "4 layers, width 128, 64 tokens, batch 12",
            shown=True,
        ),
    ),
    tiny=training(
        Transformer(1, 2, 8, tokens=5, batch=2, vocabulary=7),
        "1 layer, width 8, 5 tokens, batch 2",
    ),
    make=lambda framework, network: framework.train_transformer(network),
    goal=2,
    seconds=0.6,
)
