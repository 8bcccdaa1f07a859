"""Weight sharing: one matrix used in three steps, drawn once and marked as shared."""

from pathlib import Path

import numpy as np

import palingrad as pg

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    W = pg.Variable(np.random.default_rng(1).uniform(-1, 1, (3, 3)))
    h = x = pg.placeholder((None, 3), dtype=pg.float64, name="x")
    for _ in range(3):
        h = pg.tanh(h @ W)
    assert x.shape == h.shape
    h.draw(folder / "weight_sharing.svg", direction="right", fold=False)
    h.draw(folder / "weight_sharing_neurons.svg", nodes="neurons")


if __name__ == "__main__":
    main()
