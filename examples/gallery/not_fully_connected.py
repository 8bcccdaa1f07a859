"""A sparsely connected network: a mask sets the weights of missing connections to 0."""

from pathlib import Path

import numpy as np

import palingrad as pg

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    rng = np.random.default_rng(0)
    near = np.abs(np.arange(6)[:, None] - np.arange(6)) <= 1  # each unit reads its neighbours
    mask = pg.tensor(near.astype(np.float64))
    W1 = pg.Variable(rng.uniform(-1, 1, (6, 6)))
    W2 = pg.Variable(rng.uniform(-1, 1, (6, 2)))
    x = pg.placeholder((None, 6), dtype=pg.float64)
    h = pg.tanh(x @ (W1 * mask))
    y = h @ W2
    y.draw(folder / "not_fully_connected.svg", nodes="neurons")


if __name__ == "__main__":
    main()
