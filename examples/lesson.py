"""A lesson: a page that asks for derivatives of a small network and explains wrong answers.

`python lesson.py FOLDER` writes its page and, to print, its sheet with the answers at the end.
"""

import sys
from pathlib import Path

import numpy as np

import palingrad as pg

x = pg.tensor(np.array([[0.5, -1.0], [1.2, 0.4], [-0.7, 0.9]]), name="X")  # (batch, inputs)
t = pg.tensor(np.array([1.0, 0.0, 1.0]), name="t")
W = pg.Variable(np.array([[0.3, -0.6], [0.8, 0.7]]), name="W")
b = pg.Variable(np.array([0.1, -0.2]), name="b")
v = pg.Variable(np.array([0.9, -0.4]), name="v")


def network() -> pg.Node:
    """The mean squared error of v·tanh(X W + b), and the size of v, which has two paths to it."""
    h = pg.tanh(x @ W + b, name="H")  # (batch, hidden)
    y = pg.matmul(h, v, name="y")  # (batch,)
    return pg.add(pg.mean((y - t) ** 2, name="error"), pg.sum(v**2, name="size"), name="L")


def main() -> None:
    loss = network()
    asked = ["y", "∂L/∂y", "∂L/∂v", "∂L/∂b", "∂L/∂W"]
    lesson = pg.lesson(loss, asked, title="Backpropagation by hand", learning_rate=0.05)
    print("asked:", ", ".join(lesson.questions))
    loss.backward()
    print("∂L/∂v =", v.grad.numpy())
    for folder in sys.argv[1:]:
        print(lesson.save(Path(folder) / "lesson.html"))
        print(lesson.sheet(Path(folder) / "lesson.pdf"))


if __name__ == "__main__":
    main()
