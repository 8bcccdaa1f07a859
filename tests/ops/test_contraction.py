"""Contractions: einsum and its relatives compute what NumPy's functions compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, ShapeError
from palingrad.graph.traversal.order import postorder
from palingrad.shapes import size
from tolerances import assert_close

X = np.linspace(-1.0, 1.0, 6).reshape(2, 3)
CUBE = np.linspace(-1.0, 2.0, 27).reshape(3, 3, 3)
ROW = np.array([0.5, -1.5, 2.0])
TRUTH = np.array([[True, False, True], [False, False, True]])

SUBSCRIPTS = [
    ("ij,jk->ik", X, X.T),
    (" i j , jk ", X, X.T),
    ("ba", X),
    ("ii", CUBE[0]),
    ("iii->i", CUBE),
    ("iji->j", CUBE),
    ("iji,j", CUBE, ROW),
    ("ij,ij->", X, X),
    ("ij,ij->j", X, X),
    ("i,j->ji", ROW, X[:, 0]),
    ("ij,", X, 2.0),
    (",", 3, 2),
    ("...j,jk->...k", CUBE, X.T),
    ("i...,j...", X, X),
    ("...,...", X, np.ones((4, 1, 3))),
    ("ij,jk,kl", X, np.ones((3, 1)), np.ones((4, 5))),
    ("i,i->i", np.ones(1), ROW),
    ("ij,jk,kl,lm->im", X, CUBE[0], CUBE[1], X.T),
    ("aij,bij,ab->i", CUBE, CUBE, CUBE[0]),
    ("ij->i", TRUTH),
    ("ij,kj->ik", TRUTH, TRUTH),
    ("i->", np.array([100, 100], np.int8)),
    ("ij->", X.astype(np.float32)),
]


@pytest.mark.parametrize("given", SUBSCRIPTS, ids=lambda given: given[0])
@pytest.mark.parametrize("optimize", [True, False, "greedy"])
def test_einsum_is_numpys(given, optimize):
    subscripts, *operands = given
    operands = [x if isinstance(x, np.ndarray) else np.asarray(x) for x in operands]
    expected = np.einsum(subscripts, *operands)
    assert_close(pg.einsum(subscripts, *operands, optimize=optimize).numpy(), expected)


def test_einsum_takes_lists_of_integers():
    assert_close(pg.einsum(X, [0, 1], X, [2, 1], [2, 0]).numpy(), X @ X.T)
    assert_close(pg.einsum(X, [1, 0]).numpy(), X.T)
    assert_close(pg.einsum(CUBE, [0, ...], [..., 0]).numpy(), np.moveaxis(CUBE, 0, -1))


def random_call(rng: np.random.Generator) -> list[Any]:
    """Subscripts and operands: repeated letters, axes of size 1, ellipses, implicit outputs."""
    letters = list("abcde")
    sizes = dict(zip(letters, rng.integers(1, 4, 5).tolist()))
    whole = rng.integers(1, 3, rng.integers(0, 3)).tolist()
    terms: list[str] = []
    operands: list[Any] = []
    for _ in range(rng.integers(1, 5)):
        term = "".join(rng.choice(letters, rng.integers(0, 4)))
        dims = {one: 1 if rng.random() < 0.1 else sizes[one] for one in term}
        shape = [dims[one] for one in term]
        if rng.random() < 0.3:
            place, rest = rng.integers(0, len(term) + 1), rng.integers(0, len(whole) + 1)
            shape[place:place] = [1 if rng.random() < 0.3 else n for n in whole[rest:]]
            term = f"{term[:place]}...{term[place:]}"
        terms.append(term)
        operands.append(rng.normal(size=shape))
    subscripts = ",".join(terms)
    if rng.random() < 0.7:
        used = sorted(set(subscripts) & set(letters))
        output = "".join(one for one in rng.permutation(used) if rng.random() < 0.5)
        subscripts += f"->{output}" + ("..." if "..." in subscripts else "")
    return [subscripts, *operands]


def test_einsum_of_random_subscripts_is_numpys():
    rng = np.random.default_rng(0)
    for _ in range(300):
        given = random_call(rng)
        expected = np.asarray(np.einsum(*given))
        assert_close(pg.einsum(*given).numpy(), expected, given[0])


def test_a_chain_of_products_makes_no_array_larger_than_it_needs():
    n = 40
    a, b = np.ones((n, n)), np.ones(n)
    with pg.Graph():
        x, v = pg.placeholder((n, n), dtype="float64"), pg.placeholder((n,), dtype="float64")
        y = pg.einsum("ij,jk,kl,l->i", x, x, x, v)
        largest = max(size(node.shape) for node in postorder(y.expansion))  # pyright: ignore
    assert largest == n * n
    assert_close(pg.einsum("ij,jk,kl,l->i", a, a, a, b).numpy(), np.full(n, float(n**3)))


def test_einsum_of_unknown_shapes_runs_and_has_a_gradient():
    with pg.Graph() as graph:
        x, y = pg.placeholder(), pg.placeholder()
        z = pg.einsum("ij,kj->ik", x, y)
        slope = pg.gradients(pg.sum(z), x)
    found = pg.Session(graph).run([z, slope], {x: X, y: X[:1]})
    assert_close(found[0], X @ X[:1].T)
    assert_close(found[1], np.tile(X[0], (2, 1)))


def test_half_floats_are_accumulated_in_float32():
    x = np.full((1, 4096), 0.1, np.float16)
    total = pg.einsum("ij,ij->i", x, x).numpy()
    assert total.dtype == np.float16
    assert_close(total, np.sum(x.astype(np.float64) ** 2, axis=1).astype(np.float16))


PRODUCTS = [
    ("tensordot", CUBE, X.T, 1),
    ("tensordot", X, X, 2),
    ("tensordot", X, X, 0),
    ("tensordot", CUBE, CUBE, ([0, 1], [1, 0])),
    ("tensordot", X, X, (1, 1)),
    ("inner", X, X),
    ("inner", X, np.array(2.0)),
    ("inner", CUBE, ROW),
    ("vdot", X, X),
    ("vecdot", X, ROW),
    ("vecdot", TRUTH, TRUTH),
    ("matvec", CUBE, ROW),
    ("vecmat", X[:, None], CUBE),
    ("kron", X, CUBE[0]),
    ("kron", ROW, X),
    ("cross", CUBE, ROW),
    ("cross", X, X[::-1]),
    ("cross", CUBE, CUBE[::-1], 0, 1, 2),
]


# Those that only NumPy 2.2 has.
REFERENCES: dict[str, Any] = {
    "matvec": lambda x, y: np.einsum("...ij,...j->...i", x, y),
    "vecdot": lambda x, y: np.einsum("...i,...i->...", x, y),
    "vecmat": lambda x, y: np.einsum("...i,...ij->...j", x, y),
}


@pytest.mark.parametrize("given", PRODUCTS, ids=lambda given: given[0])
def test_products_are_numpys(given):
    name, *arguments = given
    reference = REFERENCES.get(name) or getattr(np, name)
    expected = np.asarray(reference(*arguments))
    assert_close(getattr(pg, name)(*arguments).numpy(), expected)


WRONG = [
    (lambda: pg.einsum("ij,jk", X, X), ShapeError, "axis 'j' has size 3 and, in operand 1, 2"),
    (lambda: pg.einsum("ii", X), ShapeError, "has no such diagonal"),
    (lambda: pg.einsum("ij", ROW), ShapeError, "'ij' name 2 axes of operand 0, which has 1"),
    (lambda: pg.einsum("i", X), ShapeError, "'...' stands for the axes not named"),
    (lambda: pg.einsum("...i->i", X), ShapeError, "aren't in the output"),
    (lambda: pg.einsum("ij,jk", X), ArgumentError, "is for 2 operands, got 1"),
    (lambda: pg.einsum("i->ii", ROW), ArgumentError, "twice"),
    (lambda: pg.einsum("ij->k", X), ArgumentError, "'k' is in the output"),
    (lambda: pg.einsum("i.j", X), ArgumentError, "'.' in 'i.j'"),
    (lambda: pg.einsum(X, X), ArgumentError, "not subscripts"),
    (lambda: pg.einsum("ij", X, optimize="fast"), ArgumentError, "optimize is 'fast'"),
    (lambda: pg.einsum("ij,jk", X, X.T, optimize=[(0, 5)]), ArgumentError, "step (0, 5)"),
    (lambda: pg.tensordot(X, X, 1), ShapeError, "axis 1 of x has size 3, axis 0 of y size 2"),
    (lambda: pg.tensordot(X, X, ([0, 1], [0])), ArgumentError, "as many axes of x as of y"),
    (lambda: pg.inner(X, X.T), ShapeError, "pg.matmul"),
    (lambda: pg.cross(X[:, :2], X[:, :2]), ShapeError, "expected 3"),
    (lambda: pg.cross(TRUTH, TRUTH), TypeError, "booleans"),
    (lambda: pg.vdot(X, ROW), ShapeError, "6 and 3 elements"),
    (lambda: pg.matvec(X, X[:, 0]), ShapeError, "3 columns and vectors of 2"),
    (lambda: pg.vecmat(ROW, X), ShapeError, "vectors of 3 elements and matrices with 2 rows"),
]


@pytest.mark.parametrize(("call", "kind", "text"), WRONG, ids=[text for *_, text in WRONG])
def test_wrong_calls_name_what_is_wrong(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)
