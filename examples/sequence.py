"""An LSTM that says whether the brackets of a text are balanced: a task that needs a state."""

import numpy as np

import palingrad as pg
from palingrad import nn

LENGTH, TEXTS = 12, 8_000


def texts(count, seed):
    """Rows of 0 for ( and 1 for ), and 1 where depth is 0 at the end and never below."""
    rng = np.random.default_rng(seed)
    good = np.zeros((count // 2, LENGTH), int)
    for row in good:  # a random walk that ends at 0
        depth = 0
        for t in range(LENGTH):
            left = LENGTH - t
            close = depth > 0 and rng.random() < 0.5 + 0.5 * (depth - left / 2) / (left / 2)
            row[t] = close
            depth += -1 if close else 1
    bad = good.copy()
    places = rng.integers(0, LENGTH, len(bad))
    bad[np.arange(len(bad)), places] ^= 1  # one bracket turned round
    rows = np.concatenate([good, bad])
    return rows, np.repeat([1, 0], count // 2)


class Brackets(nn.Module):
    def __init__(self) -> None:
        self.embedding = nn.Embedding(2, 8, seed=1)
        self.lstm = nn.LSTM(8, 24, last=True, seed=2)
        self.head = nn.Linear(24, 2, seed=3)

    def forward(self, x, *, training):
        y = self.lstm(self.embedding(x, training=training), training=training)  # (batch, 24)
        return self.head(y, training=training)


history = pg.train.fit(
    Brackets(), texts(TEXTS, 0), test=texts(1000, 1), optimizer=pg.optim.Adam(0.01), epochs=3
)
print("at least 99 % right:", history.epochs[-1].test_accuracy >= 0.99)
