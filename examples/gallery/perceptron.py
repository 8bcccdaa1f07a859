"""A perceptron: the neuron, and the graph that computes it."""

from pathlib import Path

import palingrad as pg

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    w = pg.Variable([0.7, -0.4, 1.2])
    b = pg.Variable(-0.5)
    x = pg.placeholder((None, 3), dtype=pg.float32)
    y = pg.cast(x @ w + b > 0, pg.float32)
    y.draw(folder / "perceptron.svg", nodes="neurons")
    y.draw(folder / "perceptron_graph.svg", direction="right")


if __name__ == "__main__":
    main()
