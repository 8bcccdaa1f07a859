"""A convolutional network: feature maps, sliding windows, and dense units at the end."""

from pathlib import Path

import palingrad as pg

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    model = pg.nn.Sequential(
        pg.nn.Conv2D(1, 4, 5, seed=0),
        pg.relu,
        pg.nn.MaxPool2D(2),
        pg.nn.Conv2D(4, 8, 3, seed=1),
        pg.relu,
        pg.nn.MaxPool2D(2),
        pg.nn.Flatten(),
        pg.nn.Linear(200, 10, seed=2),
    )
    x = pg.placeholder((None, 1, 28, 28), dtype=pg.float32)
    y = model(x)
    y.draw(folder / "convolution.svg", nodes="neurons")
    y.draw(folder / "convolution_graph.svg")


if __name__ == "__main__":
    main()
