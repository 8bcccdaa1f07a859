"""An affine map as a graph: operations as nodes, values as nodes, and both."""

from pathlib import Path

import palingrad as pg

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    with pg.Graph() as graph:
        A = pg.Variable([[1, 0], [0, -1]])
        b = pg.Variable([1, 1])
        x = pg.placeholder()
        y = A @ x
        z = y + b
    graph.draw(folder / "affine_operations.svg")
    graph.draw(folder / "affine_values.svg", nodes="values", direction="right")
    z.draw(folder / "affine_bipartite.svg", nodes="bipartite", direction="right")


if __name__ == "__main__":
    main()
