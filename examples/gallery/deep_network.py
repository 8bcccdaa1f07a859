"""A deep network, whose twelve equal blocks are drawn once."""

from pathlib import Path

import palingrad as pg

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    with pg.Graph():
        h = pg.placeholder((32, 64), dtype=pg.float32, name="x")
        for number in range(12):
            with pg.name_scope(f"block{number}"):
                W = pg.Variable([[0.0] * 64] * 64)
                b = pg.Variable([0.0] * 64)
                h = h + pg.relu(h @ W + b)
        y = pg.mean(h)
    y.draw(folder / "deep_network.svg", fold=True)


if __name__ == "__main__":
    main()
