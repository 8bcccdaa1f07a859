"""A skip connection: the input of a block is added to its output."""

from pathlib import Path

import numpy as np

import palingrad as pg

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    rng = np.random.default_rng(0)
    W1 = pg.Variable(rng.uniform(-1, 1, (4, 3)))
    W2 = pg.Variable(rng.uniform(-1, 1, (3, 4)))
    x = pg.placeholder((None, 4), dtype=pg.float64)
    with pg.name_scope("block"):
        h = pg.relu(x @ W1)
        y = h @ W2 + x
    y.draw(folder / "skip_connection.svg")
    y.draw(folder / "skip_connection_neurons.svg", nodes="neurons")


if __name__ == "__main__":
    main()
