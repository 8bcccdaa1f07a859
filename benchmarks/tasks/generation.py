"""A text that a small GPT continues token by token, the likeliest each time, with a cache."""

from contenders import NATIVE
from task import Case, Task
from transformer import Continuation, Transformer

PEERS = ("PyTorch", "PyTorch compiled")

TASK = Task(
    title="Generation by a small GPT",
    cases=(
        Case(
            "4 layers, width 128, 16 + 112 tokens",
            Continuation(Transformer(4, 4, 128, tokens=128, batch=1), prompt=16),
            shown=True,
        ),
    ),
    tiny=Case(
        "1 layer, width 8, 2 + 3 tokens",
        Continuation(Transformer(1, 2, 8, tokens=5, batch=1, vocabulary=7), prompt=2),
    ),
    make=lambda framework, given: framework.generate(given),
    goal=3,
    contenders=(NATIVE, *PEERS),
    peers=PEERS,
    seconds=0.6,
)
