"""Twenty graphs with what a teacher knows of their derivatives, computed with NumPy alone.

Each function builds a graph and returns its loss and, for each question, the facts from which
`wrong_answers.py` makes labelled wrong answers. Nothing here uses a derivative of the library.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import palingrad as pg

Arrays = Sequence[Any]


@dataclass
class Facts:
    """What is known of one derivative. `paths` are the contributions of all paths, which add up to
    it; `rows` those of the rows of a batch. The other arrays are answers that one mistake gives."""

    paths: Arrays = ()
    rows: Arrays = ()
    truth: Any = None
    own: Any = None  # the value of the node
    used: Arrays = ()  # the values of what is computed from it
    local: Arrays = ()  # local derivatives, without what follows
    order: Arrays = ()  # products with their factors exchanged
    untransposed: Arrays = ()  # products without the transposition
    formulas: dict[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    right: Sequence[str] = ()  # formulas that are right

    def __post_init__(self) -> None:
        if self.truth is None:
            self.truth = sum(map(np.asarray, self.paths or self.rows))


Case = tuple[pg.Node, dict[str, Facts]]


def variables(**values: Any) -> list[pg.Variable]:
    return [pg.Variable(np.float64(x), name=name) for name, x in values.items()]


def chain() -> Case:
    a, b, c, f = 2.1, -3.2, 10.3, -1.7
    va, vb, vc, vf = variables(a=a, b=b, c=c, f=f)
    e = pg.multiply(va, vb, name="e")
    d = pg.add(e, vc, name="d")
    return pg.multiply(d, vf, name="L"), {
        "∂L/∂a": Facts(truth=b * f, own=a, used=[a * b], local=[b],
                       formulas={"local": ["b"], "sign": ["-b*f"], "forward": ["a*b"]},
                       right=["b*f", "f b", "-(-b)*f"]),
        "∂L/∂b": Facts(truth=a * f, own=b, used=[a * b], local=[a], right=["a*f"]),
        "∂L/∂c": Facts(truth=f, own=c, used=[a * b + c], formulas={"sign": ["-f"]}),
        "∂L/∂f": Facts(truth=a * b + c, own=f, formulas={"forward": ["d*f", "L"]}, right=["d"]),
    }  # fmt: skip


def shared() -> Case:
    x, y = 1.3, 0.7
    vx, vy = variables(x=x, y=y)
    u = pg.multiply(vx, vy, name="u")
    left, right = pg.multiply(u, vx, name="p"), pg.sin(u, name="q")
    return pg.add(left, right, name="L"), {
        "∂L/∂x": Facts(paths=[x * y, y * x, y * np.cos(x * y)], own=x, used=[x * y, x * x * y],
                       formulas={"missing": ["u + x*y"], "sign": ["2*x*y - y*cos(u)"]},
                       right=["2*x*y + y*cos(x*y)"]),
        "∂L/∂y": Facts(paths=[x * x, x * np.cos(x * y)], own=y, used=[x * y], local=[x],
                       formulas={"missing": ["x^2"], "local": ["x"]}),
        "∂L/∂u": Facts(paths=[x, np.cos(x * y)], own=x * y, formulas={"missing": ["x", "cos(u)"]}),
    }  # fmt: skip


def logistic() -> Case:
    w, x, b = 0.8, 1.7, -0.4
    vw, vx, vb = variables(w=w, x=x, b=b)
    z = pg.add(pg.multiply(vw, vx, name="m"), vb, name="z")
    s = pg.sigmoid(z, name="s")
    p = 1 / (1 + np.exp(-(w * x + b)))
    return pg.negative(pg.log(s, name="l"), name="L"), {
        "∂L/∂w": Facts(truth=-(1 - p) * x, own=w, used=[w * x], local=[x, p * (1 - p) * x],
                       formulas={"local": ["x", "s*(1-s)*x"], "sign": ["(1-s)*x"]}),
        "∂L/∂b": Facts(truth=-(1 - p), own=b, used=[w * x + b], local=[p * (1 - p)],
                       right=["s - 1", "sigmoid(z) - 1"]),
        "∂L/∂z": Facts(truth=-(1 - p), own=w * x + b, local=[p * (1 - p)], used=[p]),
    }  # fmt: skip


def square() -> Case:
    a, b, t = 1.9, 0.6, 2.3
    va, vb, vt = variables(a=a, b=b, t=t)
    r = pg.subtract(pg.multiply(va, vb, name="y"), vt, name="r")
    rest = a * b - t
    return pg.square(r, name="L"), {
        "∂L/∂a": Facts(truth=2 * rest * b, own=a, used=[a * b], local=[b],
                       formulas={"local": ["b"], "sign": ["-2*r*b"]}, right=["2 r b", "2*(y-t)*b"]),
        "∂L/∂t": Facts(truth=-2 * rest, own=t, used=[rest]),
        "∂L/∂y": Facts(truth=2 * rest, own=a * b, used=[rest]),
    }  # fmt: skip


def quotient() -> Case:
    a, b, c = 2.3, 1.4, 0.9
    va, vb, vc = variables(a=a, b=b, c=c)
    q = pg.divide(va, vb, name="q")
    h = pg.exp(pg.multiply(q, vc, name="k"), name="h")
    value = np.exp(a / b * c)
    return pg.add(h, vb, name="L"), {
        "∂L/∂a": Facts(truth=value * c / b, own=a, used=[a / b], local=[1 / b, c / b],
                       formulas={"local": ["1/b", "c/b"], "sign": ["-h*c/b"]}),
        "∂L/∂b": Facts(paths=[-value * c * a / b**2, 1.0], own=b, used=[a / b],
                       formulas={"missing": ["-h*c*a/b^2"], "sign": ["h*c*a/b^2 + 1"]}),
        "∂L/∂c": Facts(truth=value * a / b, own=c, local=[a / b], used=[a / b * c]),
    }  # fmt: skip


def diamond() -> Case:
    x = 0.9
    (vx,) = variables(x=x)
    a, b, c = pg.exp(vx, name="a"), pg.sin(vx, name="b"), pg.square(vx, name="c")
    ab = pg.multiply(a, b, name="g")
    parts = [np.exp(x) * np.sin(x), np.exp(x) * np.cos(x), 2 * x]
    return pg.add(ab, c, name="L"), {
        "∂L/∂x": Facts(paths=parts, own=x, used=[np.sin(x), x * x],
                       local=[np.cos(x)], formulas={"missing": ["a*b", "a*cos(x)", "a*b + 2*x"]},
                       right=["a*b + a*cos(x) + 2*x"]),
        "∂L/∂b": Facts(truth=np.exp(x), own=np.sin(x), used=[np.exp(x) * np.sin(x)]),
    }  # fmt: skip


def polynomial() -> Case:
    x, a = 1.2, 0.7
    vx, va = variables(x=x, a=a)
    cube = pg.multiply(pg.square(vx, name="s"), vx, name="k")
    return pg.multiply(va, cube, name="L"), {
        "∂L/∂x": Facts(paths=[2 * a * x * x, a * x * x], own=x, used=[x * x], local=[3 * x * x],
                       formulas={"local": ["3*x^2"], "missing": ["a*x^2"]}, right=["3*a*x**2"]),
        "∂L/∂a": Facts(truth=x**3, own=a, used=[a * x**3]),
    }  # fmt: skip


def deep() -> Case:
    w, v, x = 0.5, -1.1, 1.6
    vw, vv, vx = variables(w=w, v=v, x=x)
    h = pg.tanh(pg.multiply(vw, vx, name="z"), name="h")
    o = pg.tanh(pg.multiply(vv, h, name="y"), name="o")
    th = np.tanh(w * x)
    to = np.tanh(v * th)
    after = 2 * to * (1 - to**2)
    return pg.square(o, name="L"), {
        "∂L/∂w": Facts(truth=after * v * (1 - th**2) * x, own=w, used=[w * x],
                       local=[x, (1 - th**2) * x, v * (1 - th**2) * x],
                       formulas={"local": ["(1-h^2)*x", "v*(1-h^2)*x"]}),
        "∂L/∂v": Facts(truth=after * th, own=v, used=[v * th], local=[th, (1 - to**2) * th],
                       right=["2*o*(1-o^2)*h"]),
    }  # fmt: skip


def linear_vector() -> Case:
    w, x = np.array([0.4, -0.7, 1.1]), np.array([1.3, 0.6, -0.8])
    vw, vx = pg.Variable(w, name="w"), pg.tensor(x, name="x")
    y = pg.sum(pg.multiply(vw, vx, name="p"), name="y")
    return pg.square(y, name="L"), {
        "∂L/∂w": Facts(truth=2 * (w @ x) * x, own=w, used=[w * x], local=[x],
                       formulas={"local": ["x"], "sign": ["-2*y*x"]},
                       right=["2*y*x", "2*sum(w*x)*x"]),
        "∂L/∂x": Facts(truth=2 * (w @ x) * w, own=x, local=[w]),
        "∂L/∂p": Facts(truth=2 * (w @ x) * np.ones(3), own=w * x),
    }  # fmt: skip


def bias_over_batch() -> Case:
    x, b = np.array([[0.5, -1.2], [0.9, 0.3], [-0.4, 0.8]]), np.array([0.2, -0.1])
    vx, vb = pg.tensor(x, name="x"), pg.Variable(b, name="b")
    z = pg.add(vx, vb, name="z")
    g = 2 * (x + b)
    return pg.sum(pg.square(z, name="s"), name="L"), {
        "∂L/∂b": Facts(rows=g, own=b, used=[x + b],
                       formulas={"batch": ["2*z"], "sign": ["-2*sum(z, 0)"]},
                       right=["2*sum(z, 0)"]),
        "∂L/∂z": Facts(truth=g, own=x + b, used=[(x + b) ** 2]),
    }  # fmt: skip


def regression() -> Case:
    x, t = np.array([0.5, 1.4, -0.6, 2.2]), np.array([1.1, 0.3, -0.9, 2.5])
    w, b = 0.7, 0.25
    vw, vb = variables(w=w, b=b)
    y = pg.add(pg.multiply(vw, pg.tensor(x, name="x"), name="m"), vb, name="y")
    r = pg.subtract(y, pg.tensor(t, name="t"), name="r")
    rest = w * x + b - t
    return pg.mean(pg.square(r, name="s"), name="L"), {
        "∂L/∂w": Facts(rows=rest * x / 2, own=w, used=[w * x], local=[x.sum()],
                       formulas={"batch": ["r*x/2"], "sign": ["-mean(2*r*x)"]},
                       right=["mean(2*r*x)", "sum(r*x)/2"]),
        "∂L/∂b": Facts(rows=rest / 2, own=b, used=[w * x + b], formulas={"batch": ["2*r/4"]}),
    }  # fmt: skip


def dense() -> Case:
    x = np.array([[0.5, -1.0, 0.8], [1.2, 0.4, -0.3]])
    w = np.array([[0.3, -0.6, 1.1], [0.2, 0.7, -0.4], [-0.9, 0.5, 0.15]])
    vx, vw = pg.tensor(x, name="X"), pg.Variable(w, name="W")
    y = pg.matmul(vx, vw, name="Y")
    g = 2 * (x @ w)
    return pg.sum(pg.square(y, name="s"), name="L"), {
        "∂L/∂W": Facts(rows=[np.outer(x[k], g[k]) for k in (0, 1)], own=w, used=[x @ w],
                       formulas={"transposed": ["2*Y.T@X"], "sign": ["-X.T@(2*Y)"]},
                       right=["2*X.T@Y", "Xᵀ@(2Y)"]),
        "∂L/∂X": Facts(truth=g @ w.T, own=x, untransposed=[g @ w],
                       formulas={"transposed": ["2*Y@W"], "sign": ["-2*Y@Wᵀ"]}),
    }  # fmt: skip


def square_matrices() -> Case:
    a, b = np.array([[0.4, 1.3], [-0.7, 0.9]]), np.array([[1.1, -0.2], [0.6, 0.35]])
    va, vb = pg.Variable(a, name="A"), pg.Variable(b, name="B")
    c = pg.matmul(va, vb, name="C")
    g = 3 * (a @ b) ** 2
    return pg.sum(pg.pow(c, 3.0, name="k"), name="L"), {
        "∂L/∂A": Facts(truth=g @ b.T, own=a, order=[b.T @ g, b @ g], untransposed=[g @ b],
                       local=[b], formulas={"order": ["B.T@(3*C^2)"]}, right=["3*C^2@B.T"]),
        "∂L/∂B": Facts(truth=a.T @ g, own=b, order=[g @ a.T, g @ a], untransposed=[a @ g],
                       used=[a @ b], formulas={"transposed": ["A@(3*C^2)"]}),
    }  # fmt: skip


def two_products() -> Case:
    a = np.array([[0.4, 1.3], [-0.7, 0.9]])
    b, c = np.array([[1.1, -0.2], [0.6, 0.35]]), np.array([[0.25, -1.4], [0.8, 0.5]])
    va, vb, vc = (pg.Variable(x, name=name) for x, name in ((a, "A"), (b, "B"), (c, "C")))
    p = pg.matmul(va, vb, name="P")
    q = pg.matmul(p, vc, name="Q")
    g = np.cos(a @ b @ c)
    back = g @ c.T
    return pg.sum(pg.sin(q, name="s"), name="L"), {
        "∂L/∂A": Facts(truth=back @ b.T, own=a, order=[b.T @ back, (c.T @ g) @ b.T],
                       untransposed=[back @ b, (g @ c) @ b.T]),
        "∂L/∂B": Facts(truth=a.T @ back, own=b, order=[back @ a.T, a.T @ (c.T @ g)],
                       untransposed=[a @ back, a.T @ (g @ c)]),
    }  # fmt: skip


def matrix_vector() -> Case:
    a = np.array([[0.6, -1.1, 0.3], [0.9, 0.2, -0.5], [-0.4, 0.7, 1.2]])
    x = np.array([1.2, -0.3, 0.7])
    va, vx = pg.Variable(a, name="A"), pg.Variable(x, name="x")
    y = pg.matmul(va, vx, name="y")
    g = 1 - np.tanh(a @ x) ** 2
    return pg.sum(pg.tanh(y, name="h"), name="L"), {
        "∂L/∂A": Facts(truth=np.outer(g, x), own=a, used=[a @ x]),
        "∂L/∂x": Facts(truth=a.T @ g, own=x, untransposed=[a @ g], local=[a.T @ np.ones(3)],
                       formulas={"transposed": ["A@(1-h^2)"]}, right=["A.T@(1-h^2)"]),
    }  # fmt: skip


def layer() -> Case:
    x = np.array([[0.5, -1.0], [1.2, 0.4], [-0.7, 0.9]])
    w, b = np.array([[0.3, -0.6], [0.8, 0.7]]), np.array([0.1, -0.2])
    vx, vw, vb = pg.tensor(x, name="X"), pg.Variable(w, name="W"), pg.Variable(b, name="b")
    h = pg.tanh(pg.add(pg.matmul(vx, vw, name="Z"), vb, name="A"), name="H")
    value = np.tanh(x @ w + b)
    g = 2 * value / 6 * (1 - value**2)
    return pg.mean(pg.square(h, name="s"), name="L"), {
        "∂L/∂W": Facts(rows=[np.outer(x[k], g[k]) for k in range(3)], own=w, used=[x @ w],
                       local=[x.T @ np.ones((3, 2)), x.T @ (1 - value**2)]),
        "∂L/∂b": Facts(rows=g, own=b, used=[x @ w + b], local=[(1 - value**2).sum(0)],
                       right=["sum(H*(1-H^2)/3, 0)"]),
        "∂L/∂X": Facts(truth=g @ w.T, own=x, untransposed=[g @ w]),
    }  # fmt: skip


def relu_layer() -> Case:
    x, w = np.array([0.8, -0.5]), np.array([[0.9, -1.3], [0.4, 0.7]])
    v = np.array([1.5, -0.6])
    vx, vw, vv = pg.Variable(x, name="x"), pg.Variable(w, name="W"), pg.Variable(v, name="v")
    z = pg.matmul(vx, vw, name="z")
    h = pg.relu(z, name="h")
    on = (x @ w > 0).astype(float)
    g = v * on
    return pg.sum(pg.multiply(h, vv, name="o"), name="L"), {
        "∂L/∂x": Facts(truth=w @ g, own=x, untransposed=[g @ w], used=[x @ w],
                       formulas={"sign": ["-W@(v*(z > 0))"]}, right=["W@(v*(z > 0))"]),
        "∂L/∂W": Facts(truth=np.outer(x, g), own=w, local=[np.outer(x, on)]),
        "∂L/∂v": Facts(truth=np.maximum(x @ w, 0), own=v),
    }  # fmt: skip


def tied_weights() -> Case:
    w, x = np.array([[0.4, -0.9], [1.2, 0.3]]), np.array([0.7, -1.1])
    vw, vx = pg.Variable(w, name="W"), pg.tensor(x, name="x")
    h = pg.matmul(vx, vw, name="h")
    y = pg.matmul(h, vw, name="y")
    g = 2 * (x @ w @ w)
    first, second = np.outer(x, g @ w.T), np.outer(x @ w, g)
    return pg.sum(pg.square(y, name="s"), name="L"), {
        "∂L/∂W": Facts(paths=[first, second], own=w, used=[x @ w, x @ w @ w]),
        "∂L/∂h": Facts(truth=g @ w.T, own=x @ w, untransposed=[g @ w], used=[x @ w @ w]),
    }  # fmt: skip


def residual() -> Case:
    x, w = np.array([0.6, -0.8, 1.25]), 0.9
    vx, vw = pg.Variable(x, name="x"), pg.Variable(np.float64(w), name="w")
    f = pg.sin(pg.multiply(vw, vx, name="u"), name="f")
    y = pg.add(vx, f, name="y")
    g = 2 * (x + np.sin(w * x))
    return pg.sum(pg.square(y, name="s"), name="L"), {
        "∂L/∂x": Facts(paths=[g, g * np.cos(w * x) * w], own=x, used=[w * x],
                       formulas={"missing": ["2*y", "2*y*cos(u)*w"]}, right=["2*y*(1+w*cos(u))"]),
        "∂L/∂w": Facts(rows=g * np.cos(w * x) * x, own=w, used=[w * x],
                       formulas={"batch": ["2*y*cos(u)*x"]}),
    }  # fmt: skip


def fed() -> Case:
    x, w, k = 1.4, 0.3, 2.2
    vw, vk = variables(w=w, k=k)
    feed = pg.tensor(np.float64(x), name="x")
    d = pg.subtract(pg.multiply(vw, feed, name="m"), pg.multiply(vk, vw, name="n"), name="d")
    value = np.exp(w * x - k * w)
    return pg.exp(d, name="L"), {
        "∂L/∂w": Facts(paths=[value * x, -value * k], own=w, used=[w * x],
                       formulas={"missing": ["L*x", "-L*k"], "sign": ["L*(x+k)"], "local": ["x-k"]},
                       right=["L*(x-k)"]),
        "∂L/∂k": Facts(truth=-value * w, own=k, used=[k * w], local=[-w],
                       formulas={"sign": ["L*w"]}),
    }  # fmt: skip


GRAPHS: tuple[Callable[[], Case], ...] = (
    chain, shared, logistic, square, quotient, diamond, polynomial, deep, linear_vector,
    bias_over_batch, regression, dense, square_matrices, two_products, matrix_vector, layer,
    relu_layer, tied_weights, residual, fed,
)  # fmt: skip
