"""Logistic regression of two clouds of points, with placeholders, Variables and a session."""

import numpy as np

import palingrad as pg


def clouds(count: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Points (2·count, 2) around (−1, −1) and (1, 1), and their classes (2·count,), 0 and 1."""
    rng = np.random.default_rng(0)
    points = rng.normal(0.0, 0.7, (2 * count, 2))
    classes = np.repeat([0.0, 1.0], count)
    return points + 2 * classes[:, None] - 1, classes


def main() -> None:
    points, classes = clouds()

    with pg.Graph() as graph:
        x = pg.placeholder(name="x")  # (points, 2)
        c = pg.placeholder(name="c")  # (points,)
        with pg.name_scope("model"):
            w = pg.Variable([0.0, 0.0], name="w")
            b = pg.Variable(0.0, name="b")
        p = pg.sigmoid(x @ w + b, name="p")
        loss = -pg.mean(c * pg.log(p) + (1 - c) * pg.log(1 - p), name="loss")
        train = pg.optim.GradientDescent(1.0).minimize(loss)

    session = pg.Session(graph)
    feeds = {x: points, c: classes}
    for step in range(101):
        _, value = session.run([train, loss], feeds)
        if step % 25 == 0:
            print(f"step {step:3}  loss {value:.4f}")

    accuracy = np.mean((session.run(p, feeds) > 0.5) == classes)
    print(f"accuracy {accuracy:.1%}  w {np.round(w.numpy(), 2)}  b {w.graph['model/b'].item():.2f}")


if __name__ == "__main__":
    main()
