"""The forward pass, the backward pass and the optimizer step of one graph."""

from pathlib import Path

import palingrad as pg

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    with pg.Graph() as graph:
        x = pg.placeholder((8, 3), dtype=pg.float32)
        with pg.name_scope("layer"):
            W = pg.Variable([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
            b = pg.Variable([0.0, 0.0])
            h = pg.tanh(x @ W + b)
        loss = pg.sum(h * h)
        gW, gb = pg.gradients(loss, [W, b])
        step = pg.group(W.assign(W - 0.1 * gW), b.assign(b - 0.1 * gb))
    loss.draw(folder / "forward.svg")
    pg.view.draw([gW, gb], folder / "backward.svg")
    assert step in graph
    graph.draw(folder / "update.svg")


if __name__ == "__main__":
    main()
