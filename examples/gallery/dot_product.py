"""The dot product of two vectors, as one operation and as its parts."""

from pathlib import Path

import palingrad as pg

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    u = pg.Variable([1.0, 2.0])
    v = pg.Variable([3.0, 4.0])
    y = pg.dot(u, v)
    y.backward()
    y.draw(folder / "dot_product.svg", direction="right")
    y.draw(folder / "dot_product_scalars.svg", granularity="scalar")


if __name__ == "__main__":
    main()
