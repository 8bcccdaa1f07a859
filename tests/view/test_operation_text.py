"""Texts about an operation are defined on its class: every operation of the library has all of
them, a user's works without them, and no list of operations is in the viewer."""

from __future__ import annotations

import ast
import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import NonFiniteError
from palingrad.graph.kinds import Composite, Elementwise
from palingrad.graph.operation import Operation
from palingrad.proof import shipped
from palingrad.proof.case import Case

VIEW = Path(pg.__file__).parent / "view"


def nodes(operation: type[Operation]) -> list[Any]:
    """The results of an operation on its first sample, of named inputs."""
    found: list[Any] = []
    for sample in operation.samples[:1]:
        case = Case(operation, sample)
        found += case.outputs(*(pg.tensor(a, name=f"x{n}") for n, a in enumerate(case.arrays())))
    return found


def test_every_operation_has_latex_and_code():
    for operation in shipped():
        for node in nodes(operation):
            assert operation.math, f"{operation.__name__} has no math"
            assert pg.latex(node).lines
            assert "import numpy" in pg.source(node)


def test_every_operation_says_why_it_is_not_finite_or_proves_that_it_is():
    for operation in shipped():
        silent = operation.nonfinite in (Operation.nonfinite, Elementwise.nonfinite)
        if issubclass(operation, Composite):
            continue  # the operations that it is made of say it
        assert operation.stays_finite or not silent, operation.__name__
        if operation.stays_finite:
            for dtype in (np.float16, np.float32):
                for values in results(operation, dtype):
                    assert np.isfinite(values).all(), operation.__name__


def results(operation: type[Operation], dtype: Any) -> list[Any]:
    """Results on numbers of the dtype over its whole range, for one input of float16 on each."""
    found: list[Any] = []
    for sample in operation.samples:
        arrays = Case(operation, sample).arrays()
        floats = [place for place, one in enumerate(arrays) if one.dtype.kind == "f"]
        if not floats:
            continue
        for place, one in enumerate(arrays):
            if place not in floats:
                continue
            if issubclass(operation, Elementwise):
                shape = [1] * len(floats)
                shape[floats.index(place)] = -1
                arrays[place] = numbers(dtype, few=len(floats) > 1).reshape(shape)
            else:
                arrays[place] = (
                    np.finfo(dtype).max * np.where(np.arange(one.size) % 2, 1, -1)
                ).reshape(one.shape)
        if issubclass(operation, Elementwise):
            arrays = [
                one if place in floats else one.ravel().reshape(-1, *[1] * len(floats))
                for place, one in enumerate(arrays)
            ]
        given = [one.astype(dtype) if one.dtype.kind == "f" else one for one in arrays]
        node = operation(*map(pg.tensor, given), **sample.attributes)
        many = node.value if isinstance(node.value, tuple) else (node.numpy(),)
        found += [one for one in many if one.dtype.kind == "f"]
    return found


def numbers(dtype: Any, *, few: bool) -> Any:
    """Finite numbers: of 2¹⁶ patterns of bits, with the ends; `few` of them are 40."""
    bits = np.linspace(0, 2 ** (8 * np.dtype(dtype).itemsize) - 1, 2**16)
    every = bits.astype(f"uint{8 * np.dtype(dtype).itemsize}").view(dtype)
    every = np.sort(every[np.isfinite(every)])
    limits = [np.finfo(dtype).min, 0, np.finfo(dtype).tiny, 1, np.finfo(dtype).max]
    return np.append(every[:: len(every) // 35] if few else every, limits).astype(dtype)


FAULTS = [
    (lambda: pg.cosh(pg.tensor(-1000.0)), "cosh overflows at −1e03", "pg.maximum(x, -"),
    (lambda: pg.conv1d(*ones((1, 1, 2), (1, 1, 2))), "the sum over a window overflows", "means"),
    (lambda: pg.leaky_relu(pg.tensor(-3e38), slope=2.0), "2 · −3e38 overflows", "scaling"),
    (lambda: pg.floor_divide(pg.tensor(1.0), 0.0), "floor_divide of 1 by 0", "pg.where"),
    (lambda: pg.pow(pg.tensor(0.0), -1.0), "0 to the power −1", "pg.where"),
    (lambda: pg.prod(pg.tensor([3e38, 3e38])), "the product overflows", "scaling"),
    (lambda: pg.multiply(pg.tensor(0.0), np.inf), "0 × ∞", "large finite"),
    (lambda: pg.log(pg.tensor([0.0, 1.0])), "log of 0", "eps"),
    (lambda: pg.log(pg.softmax(pg.tensor([0.0, 1e9]))), "log of 0", "pg.log_softmax"),
]


def ones(*shapes: tuple[int, ...]) -> Any:
    return [pg.tensor(np.full(shape, 3e38, np.float32)) for shape in shapes]


@pytest.mark.parametrize(("f", "what", "rewrite"), FAULTS, ids=[what for _, what, _ in FAULTS])
def test_the_reason_is_the_operations_own(f, what, rewrite):
    with pytest.raises(NonFiniteError) as caught, pg.debug_nans():
        f().numpy()
    assert what in caught.value.reason
    assert rewrite in caught.value.rewrite


# ---------------------------------------------------------------- a user's own


class Wobble(pg.Elementwise):
    def f(m, x, y):
        return m.sqrt(x) * y

    def d(z, x, y):
        return [0.5 * y / pg.sqrt(x), pg.sqrt(x)]


class Spread(pg.graph.kinds.Reduce):
    def f(m, x, *, axis, keepdims):
        return m.max(x, axis=axis, keepdims=keepdims) - m.min(x, axis=axis, keepdims=keepdims)


class Twice(Composite):
    def expand(y, x):
        return x + x


class Opaque(pg.Custom):
    def compute(self, x):
        return np.log(x)

    def vjp(self, g, x):
        return [g / x]


OWN = {
    "wobble": lambda x: Wobble(x, pg.tensor(2.0)),
    "spread": lambda x: Spread(x, axis=0, keepdims=False),
    "twice": lambda x: Twice(x),
    "opaque": lambda x: Opaque(x),
}


CODE = {"wobble": "np.sqrt(x) * ", "spread": "np.max(x", "twice": "x + x", "opaque": "def opaque("}


@pytest.mark.parametrize("name", OWN)
def test_a_users_operation_without_text_works_everywhere(name, tmp_path):
    x = pg.Variable([[4.0, 9.0], [1.0, 25.0]], name="x")
    y = OWN[name](x)
    index = "_{0}" if name == "spread" else ""
    assert pg.latex(y).startswith(rf"y = \operatorname{{{name}}}{index}\left(x")
    assert f"{name}(x" in y.draw().text()
    y.draw(tmp_path / "y.svg")
    pg.view(y, tmp_path / "y.html")
    page = (tmp_path / "y.html").read_text()
    assert f">{name}</mi>" in page.replace("\\u003c", "<")
    assert CODE[name] in pg.source(y)
    if name != "spread":  # it has no derivative
        assert name in str(pg.derivation(pg.sum(y), x))


def test_a_users_operation_without_text_is_reported_as_origin():
    with pytest.raises(NonFiniteError, match=r"wobble of −1, 2 is NaN") as caught, pg.debug_nans():
        Wobble(pg.tensor([-1.0]), pg.tensor(2.0)).numpy()
    assert "keeping the argument away" in caught.value.rewrite
    with pytest.raises(NonFiniteError, match=r"spread of finite numbers"), pg.debug_nans():
        Spread(pg.tensor([3e38, -3e38]), axis=None, keepdims=False).numpy()


def test_a_users_class_lives_no_longer_than_its_nodes_though_it_was_printed():
    def printed() -> Any:
        class Passing(Wobble):
            math = "{x} ~ {y}"

        pg.latex(Passing(pg.tensor(4.0), pg.tensor(2.0)))
        return weakref.ref(Passing)

    held = printed()
    gc.collect()
    assert held() is None


def test_a_users_operation_says_it_as_a_built_in_one_does():
    class Wobble2(Wobble):
        math = r"\omega({x}, {y})"
        symbol, drawn = "~", "≈"

        def nonfinite(z, value, x, y):
            return f"ω at {x:g}", "another x"

    x = pg.tensor(-1.0, name="x")
    y = Wobble2(x, pg.tensor(2.0, name="b"))
    assert pg.latex(y) == r"y = \omega(x, b)"
    assert "x ≈ b" in y.draw().text()
    with pytest.raises(NonFiniteError, match=r"ω at -1.*Try another x"), pg.debug_nans():
        y.numpy()


# ---------------------------------------------------------------- labels and logits


@pytest.mark.parametrize(
    ("shape", "labels", "text"),
    [
        ((2, 3), np.array([2, 0]), "−log softmax(x)[i, labelsᵢ]"),
        ((3,), np.array(1), "−log softmax(x)[labels]"),
        ((2, 2, 3), np.array([[2, 0], [1, 1]]), "−log softmax(x)[i, j, labelsᵢⱼ]"),
        ((2, 3), np.full((2, 3), 0.3), "−Σ₋₁ labels ⊙ log softmax(x)"),
    ],
)
def test_cross_entropy_picks_the_labels_entry_or_sums_over_chances(shape, labels, text):
    x = pg.Variable(np.zeros(shape), name="x")
    labels = pg.tensor(labels, name="labels")
    node = pg.cross_entropy(x, labels, reduction="none", name="c")
    assert pg.latex(node).text == f"c = {text}"
    assert pg.latex(pg.cross_entropy(x, labels, name="c")).text == f"c = mean({text})"


def test_labels_written_in_place_are_picked_too():
    lo = pg.Variable(np.zeros((2, 3)), name="lo")
    ce = pg.cross_entropy(lo, np.array([2, 0]), name="ce")
    assert pg.latex(ce).text == "ce = mean(−log softmax(lo)[i, c₁ᵢ])"


# ---------------------------------------------------------------- no lists in the viewer

# Where such names aren't operations'.
OTHER_NAMES = {
    "reading/source/code.py": "functions of m, of which this is an implementer",
    "page/trace.py": "functions of m, of which this is an implementer",
    "page/arrays.py": "columns of a table",
    "training/recording.py": "columns of a table",
    "reading/mathematics/plain.py": "commands of LaTeX",
    "reading/mathematics/reader.py": "commands of LaTeX",
}


OTHERS = {"round", "dot", "item", "all"}  # words that mean something else in the viewer


def test_no_list_or_comparison_in_the_viewer_names_operations():
    names = {operation._kind_name for operation in shipped()}
    names |= {operation.__name__ for operation in shipped()}
    names -= OTHERS
    for path in sorted(VIEW.rglob("*.py")):
        name = path.relative_to(VIEW).as_posix()
        if name in OTHER_NAMES:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            found = strings(node)
            named = found & names
            most = max(len(found) / 2, 1)
            if isinstance(node, ast.Compare):
                most = 0
            where = f"{name}:{getattr(node, 'lineno', 0)}"
            assert len(named) <= most, f"{where} names {sorted(named)}"


def strings(node: ast.AST) -> set[str]:
    """The strings in a list, tuple, set, dict's keys or comparison."""
    parts: list[Any] = []
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        parts = node.elts
    elif isinstance(node, ast.Dict):
        parts = [one for one in node.keys if one is not None]
    elif isinstance(node, ast.Compare):
        parts = [node.left, *node.comparators]
    return {one.value for one in parts if isinstance(one, ast.Constant) and one.value != ""
            and isinstance(one.value, str)}  # fmt: skip
