"""Logistic regression of one example: every value, every gradient, every local derivative."""

from pathlib import Path

import palingrad as pg

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    a, b = pg.Variable(2.0), pg.Variable(-1.0)
    x = pg.tensor(0.75)
    c = a * x
    d = c + b
    e = pg.sigmoid(d)
    e.backward()
    e.draw(folder / "logistic_regression.svg", direction="right")


if __name__ == "__main__":
    main()
