"""A fully connected network: every unit reads every unit of the previous layer."""

from pathlib import Path

import numpy as np

import palingrad as pg

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    rng = np.random.default_rng(0)
    W1, b1 = pg.Variable(rng.uniform(-1, 1, (4, 5))), pg.Variable(np.zeros(5))
    W2, b2 = pg.Variable(rng.uniform(-1, 1, (5, 3))), pg.Variable(np.zeros(3))
    x = pg.placeholder((None, 4), dtype=pg.float64)
    h = pg.relu(x @ W1 + b1)
    y = pg.softmax(h @ W2 + b2)
    y.draw(folder / "fully_connected.svg", nodes="neurons")


if __name__ == "__main__":
    main()
