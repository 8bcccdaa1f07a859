"""What comes of arrays without elements, by name, on every engine.

That all operations agree on their own samples, emptied, is a check of the battery.
"""

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import PalingradError
from palingrad.proof.case import values
from tolerances import assert_same

NO_LABELS = np.zeros(0, np.int64)


def image(*shape: int) -> np.ndarray[Any, Any]:
    return np.ones(shape, np.float32)


# Name, function, inputs, expected result (a shape stands for nothing of that shape).
RESULTS: list[tuple[str, Any, tuple[tuple[int, ...], ...], Any]] = [
    ("softmax of no classes", pg.softmax, ((3, 0),), (3, 0)),
    ("log-softmax of no classes", pg.log_softmax, ((3, 0),), (3, 0)),
    ("flatten no examples", pg.flatten, ((0, 3, 2),), (0, 6)),
    ("flatten no features", pg.flatten, ((3, 0, 2),), (3, 0)),
    ("dot over nothing", pg.dot, ((3, 0), (0, 2)), np.zeros((3, 2))),
    ("dot of no vectors", pg.dot, ((0,), (0,)), 0.0),
    ("dot of stacks over nothing", pg.dot, ((2, 0), (5, 0, 4)), np.zeros((2, 5, 4))),
    ("dot of no rows", pg.dot, ((0, 3), (5, 3, 4)), (0, 5, 4)),
    ("product over nothing", pg.matmul, ((3, 0), (0, 2)), np.zeros((3, 2))),
    ("product with a vector of nothing", pg.matmul, ((3, 0), (0,)), np.zeros(3)),
    ("products over nothing", pg.matmul, ((2, 3, 0), (2, 0, 4)), np.zeros((2, 3, 4))),
    ("convolution of no images", pg.conv2d, ((0, 3, 5, 5), (4, 3, 3, 3)), (0, 4, 3, 3)),
    ("of no channels", pg.conv2d, ((2, 0, 5, 5), (4, 0, 3, 3)), np.zeros((2, 4, 3, 3))),
    ("to no channels", pg.conv2d, ((2, 3, 5, 5), (0, 3, 3, 3)), (2, 0, 3, 3)),
    ("pooling of no images", pg.max_pool, ((0, 3, 4, 4),), (0, 3, 2, 2)),
    ("means of no windows", pg.average_pool, ((0, 3, 4, 4),), (0, 3, 2, 2)),
    ("joined with nothing", lambda *x: pg.concat(x, axis=0), ((0, 3), (2, 3)), np.ones((2, 3))),
    ("nothing joined", lambda *x: pg.concat(x, axis=1), ((0, 3), (0, 2)), (0, 5)),
    ("layer norm of no features", pg.layer_norm, ((3, 0),), (3, 0)),
    ("batch norm of no examples", pg.batch_norm, ((0, 3),), (0, 3)),
    ("losses of no examples",
     lambda x: pg.cross_entropy(x, NO_LABELS, reduction="none"), ((0, 5),), (0,)),
    ("their mean", lambda x: pg.cross_entropy(x, NO_LABELS), ((0, 5),), np.nan),
    ("their sum", lambda x: pg.cross_entropy(x, NO_LABELS, reduction="sum"), ((0, 5),), 0.0),
    ("mean squared error of nothing", pg.mse, ((0, 2), (0, 2)), np.nan),
    ("sum", lambda x: pg.sum(x, axis=0), ((0, 3),), np.zeros(3)),
    ("product", lambda x: pg.prod(x, axis=0), ((0, 3),), np.ones(3)),
    ("mean", lambda x: pg.mean(x, axis=0), ((0, 3),), np.full(3, np.nan)),
    ("variance of no rows", lambda x: pg.var(x, axis=1), ((0, 3),), (0,)),
    ("norm", lambda x: pg.vector_norm(x, axis=1), ((3, 0),), np.zeros(3)),
    ("log of a sum", lambda x: pg.logsumexp(x, axis=1), ((3, 0),), np.full(3, -np.inf)),
    ("rows of a table", lambda x: pg.take(x, NO_LABELS, axis=0), ((3, 2),), (0, 2)),
    ("a slice beyond the end", lambda x: x[5:], ((3, 2),), (0, 2)),
    ("another shape of nothing", lambda x: pg.reshape(x, (0, 5)), ((3, 0),), (0, 5)),
]  # fmt: skip


@pytest.mark.parametrize("engine", ["eager", *pg.engine_names()])
def test_what_comes_of_nothing(engine):
    arrays = [image(*shape) for _, _, shapes, _ in RESULTS for shape in shapes]

    def everything(*given: Any) -> list[Any]:
        left, found = list(given), []
        for _, f, shapes, _ in RESULTS:
            xs = [left.pop(0) for _ in shapes]
            y = f(*xs)
            found += [y, *pg.gradients(pg.sum(y), xs)]
        return found

    if engine == "eager":
        found = values(everything(*map(pg.tensor, arrays)))
    else:
        found = list(pg.function(everything, engine=engine)(*arrays))
    for name, _, shapes, expected in RESULTS:
        nothing = isinstance(expected, tuple)
        wanted = np.zeros(expected) if nothing else np.asarray(expected)
        assert_same(found.pop(0), wanted.astype(np.float32), name)
        for shape in shapes:
            assert found.pop(0).shape == shape, name


@pytest.mark.parametrize("engine", pg.engine_names())
@pytest.mark.parametrize(
    ("f", "said"),
    [
        (pg.max, "no element to choose"),
        (pg.argmin, "no element to choose"),
        (lambda x: pg.cross_entropy(x, np.ones((3, 0), np.float32)), "no classes"),
        (lambda x: pg.conv2d(pg.reshape(x, (0, 4, 6, 5)), image(4, 0, 3, 1), groups=2), "channels"),
    ],
)
def test_what_nothing_has_no_answer_for_is_refused_by_name(f, said, engine):
    with pytest.raises(PalingradError, match=said):
        f(image(3, 0))
    with pytest.raises(PalingradError, match=said):
        pg.function(f, engine=engine)(image(3, 0))
