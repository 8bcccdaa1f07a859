"""A multilayer perceptron trained on handwritten digits, drawn with its trained weights.

The data set is MNIST if PALINGRAD_DATA names its folder, else the digits included in palingrad.
"""

import os
from pathlib import Path

import palingrad as pg

HERE = Path(__file__).parent


def main(folder: Path = HERE, *, epochs: int = 5) -> float:
    found = pg.data.load("mnist" if os.environ.get("PALINGRAD_DATA") else "digits")
    pg.set_seed(0)
    model = pg.nn.Sequential(
        pg.nn.Linear(found.num_inputs, 32, seed=0), pg.relu, pg.nn.Linear(32, 10, seed=1)
    )
    adam = pg.optim.Adam(0.01)

    @pg.function
    def step(x, labels):
        loss = pg.cross_entropy(model(x, training=True), labels)
        adam.minimize(loss)
        return loss

    for epoch in range(epochs):
        for x, labels in pg.data.batches(found.train, 64, seed=0, epoch=epoch):
            step(x, labels)
    test = pg.train.evaluate(model, (found.test.inputs, found.test.labels))
    x = pg.placeholder((None, found.num_inputs), dtype=pg.float32)
    y = pg.softmax(model(x))
    y.draw(folder / "trained_mlp.svg", nodes="neurons")
    y.draw(folder / "trained_mlp_graph.svg")
    return test.accuracy


if __name__ == "__main__":
    print(f"test accuracy {main():.1%}")
