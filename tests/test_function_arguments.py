"""What pg.function takes: arrays of any kind, static arguments, and variables that it reads."""

from __future__ import annotations

import functools
from array import array
from collections import namedtuple

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import DTypeError, GraphError
from tolerances import assert_same

X = np.arange(6.0)


class Series:
    """What other libraries' columns are like: an array behind `__array__`, and not hashable."""

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __init__(self, values) -> None:
        self._values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return np.array(self._values, dtype, copy=copy)


def traced(f, **options):
    """`f` compiled, with a list that grows by one for each trace."""
    traces: list[int] = []

    def function(*args, **kwargs):
        traces.append(1)
        return f(*args, **kwargs)

    functools.update_wrapper(function, f)  # which has the parameters' names
    return pg.function(function, **options), traces


# -------------------------------------------------------------------------------- arrays


def all_kinds(values: list[float], folder) -> list[object]:
    mapped = np.memmap(folder / "numbers", np.float64, "w+", shape=(len(values),))
    mapped[:] = values
    return [np.array(values), mapped, np.ma.array(values), Series(values), array("d", values),
            memoryview(array("d", values)), np.asarray(values, ">f8")]  # fmt: skip


@pytest.mark.tiny
def test_arrays_of_every_kind_are_fed_and_keep_their_dtype(tmp_path):
    double, traces = traced(lambda x: x * 2)
    for number, given in enumerate(all_kinds([0.1, 0.2], tmp_path)):
        assert_same(double(given), np.array([0.2, 0.4]))
        assert pg.tensor(given).dtype == pg.float64, number
        fed = pg.placeholder()
        assert pg.Session().run(fed, {fed: given}).dtype == pg.float64
    assert len(traces) == 1
    assert_same(double(np.array([[1.0, 2.0]]).view(np.matrix)), np.array([[2.0, 4.0]]))
    assert pg.tensor(array("f", [0.5])).dtype == pg.float32
    assert pg.tensor(Series([1, 2])).dtype == pg.int64


@pytest.mark.tiny
def test_numpy_decides_the_dtype_of_a_list_in_which_anything_has_one():
    for given in (
        [np.float64(0.1), 0.2], [0.2, np.float64(0.1)], [0.2, np.float32(0.1)], [1, np.float64(2)],
        [[0.1, 0.2], [0.3, np.float64(0.4)]], [[0.1, 0.2], X[:2]], (0.1, np.array(0.2)),
        [np.float32(0.1), np.float32(0.2)], [Series([0.1]), [0.2]], [array("f", [0.1])],
    ):  # fmt: skip
        expected = np.array(given).dtype
        assert pg.tensor(given).dtype == expected, given
        assert (pg.tensor(given) * 1).dtype == expected
    for given in (0.1, [0.1, 2], [[0.1], [0.2]], (0.1,), [], [True, 0.5]):
        assert pg.tensor(given).dtype == pg.float32


@pytest.mark.tiny
def test_masked_elements_are_refused():
    masked = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    for given in (masked, [masked, masked], [1.0, np.ma.masked]):
        with pytest.raises(
            DTypeError, match=r"masked, and arrays have no masks; .* filled\(value\)"
        ):
            pg.tensor(given)
    with pytest.raises(DTypeError, match="<lambda>: 1 of 3 elements of a masked array are masked"):
        pg.function(lambda x: x * 2)(masked)
    assert_same(pg.function(lambda x: x * 2)(masked.filled(0)), np.array([2.0, 0.0, 6.0]))


@pytest.mark.tiny
def test_numpy_text_is_part_of_the_signature():
    f, traces = traced(lambda x, word: x * len(word))
    assert [f(1.0, np.str_("a")), f(2.0, np.str_("a")), f(1.0, np.str_("ab"))] == [1, 2, 2]
    assert len(traces) == 2


@pytest.mark.tiny
def test_an_integer_that_does_not_fit_the_arrays_dtype_is_refused_as_eagerly():
    def above(x, n):
        return x > n[0]

    x = np.array([0, 100], np.uint8)
    compiled = pg.function(above)
    assert compiled(x, [50]).tolist() == [False, True]  # then from the cache
    for n in (-1, 256):
        with pytest.raises(DTypeError, match=rf"above: argument 'n': {n} doesn't fit uint8.*Pass"):
            compiled(x, [n])
        with pytest.raises(DTypeError, match=f"{n} doesn't fit uint8"):
            above(pg.tensor(x), [n])
        wide = x > np.array(n)
        assert compiled(x, [np.array(n)]).tolist() == wide.tolist()
    cast = pg.function(lambda n: pg.cast(n, "uint8"))
    assert cast(-1) == 255  # asked for: modulo 2⁸


@pytest.mark.tiny
def test_static_arguments_that_compare_equal_differ_by_type_and_sign_of_zero():
    scaled = pg.function(lambda x, n: x * n[0][0], static_argnames="n")
    for factor in (2, 2.0, np.float64(2)):
        assert scaled(np.arange(3), ((factor,),)).dtype == (pg.tensor([1]) * factor).dtype
    by = pg.function(lambda x, n: x / n, static_argnames="n")
    for zero in (0.0, -0.0, np.float64(0.0), np.float64(-0.0)):
        assert by(np.array(1.0), zero) == (np.inf if str(zero) == "0.0" else -np.inf)


@pytest.mark.tiny
def test_named_tuples_of_one_name_and_keys_that_compare_equal_are_told_apart():
    difference = pg.function(lambda pair: pair.a - pair.b)
    for fields in ("a b", "b a"):
        pair = namedtuple("Pair", fields)(np.array(3.0), np.array(1.0))
        assert difference(pair) == pair.a - pair.b
    scaled = pg.function(lambda table: [x * key for key, x in table.items()])
    for key in (2, 2.0):
        assert scaled({key: np.arange(2)})[0].dtype == (pg.tensor([1]) * key).dtype


@pytest.mark.tiny
def test_messages_name_a_callable_object_by_its_class():
    class Model:
        def __call__(self, x, n):
            return x * n

    for model, name in ((Model(), "Model"), (functools.partial(Model(), n=1), "partial")):
        compiled = pg.function(model, max_programs=1)
        with pytest.raises(DTypeError, match=f"^{name}: expected numbers"):
            compiled(np.array(["a"]), n=2)
        with pytest.warns(RuntimeWarning, match=f"pg.function '{name}' caches 1"):
            assert [compiled(np.ones(size), n=2).tolist() for size in (1, 2)] == [[2], [2, 2]]
    with pytest.raises(DTypeError, match=r"^Model: argument 'n': 300 doesn't fit int8"):
        pg.function(Model())(np.ones(2, np.int8), 300)


@pytest.mark.tiny
def test_the_instance_of_a_method_is_compared_by_identity_whatever_its_class_says():
    class Scale:
        def __init__(self, factor):
            self.factor = factor

        def __eq__(self, other):
            return True

        __hash__ = None

        @pg.function
        def call(self, x):
            return x * self.factor

    for factor in (2.0, 3.0):
        scale = Scale(factor)
        assert_same(scale.call(X), X * factor)
        assert_same(Scale(factor + 1).call(X), X * (factor + 1))
        assert_same(scale.call(pg.tensor(X)).value, X * factor)
        assert_same(pg.grad(lambda x, scale=scale: pg.sum(scale.call(x)))(X), np.full(6, factor))


@pytest.mark.tiny
def test_a_tensor_of_a_number_has_the_dtype_that_it_has_eagerly():
    for number in (3, 0.5):
        assert pg.function(lambda n: pg.tensor(n))(number).dtype == pg.tensor(number).dtype


# -------------------------------------------------------------------------------- static


@pytest.mark.tiny
def test_static_arguments_are_known_while_tracing():
    f, traces = traced(lambda x, n, axis=None: pg.sum(pg.reshape(x, (n, -1)), axis=axis),
                       static_argnames=("n", "axis"))  # fmt: skip
    table = X.reshape(2, 3)
    for _ in range(2):
        assert_same(f(X, 2), np.sum(X))
        assert_same(f(X, 2, 0), np.sum(table, axis=0))
        assert_same(f(X, 2, axis=0), np.sum(table, axis=0))
        assert_same(f(X, n=3, axis=(0, 1)), np.sum(X))
    assert len(traces) == 4
    with pg.Graph():
        assert f(pg.placeholder((6,)), 2, 0).shape == (3,)


@pytest.mark.tiny
def test_static_numbers_of_other_type_or_sign_are_other_signatures():
    f, traces = traced(lambda x, n: x / pg.Constant(n), static_argnames="n")
    with np.errstate(all="ignore"):
        found = [f(X, n) for n in (0.0, -0.0, 1, 1.0, True)]
    assert found[0][1] == np.inf
    assert found[1][1] == -np.inf
    assert len(traces) == 5


@pytest.mark.tiny
def test_what_can_not_be_static_says_so():
    with pytest.raises(TypeError, match="static_argnames: no parameter is called 'm'"):
        pg.function(lambda x, n: x * n, static_argnames="m")
    with pytest.raises(TypeError, match="no parameter is called 'rest'"):
        pg.function(lambda *rest: rest[0], static_argnames="rest")
    f = pg.function(lambda x, n: pg.reshape(x, n), static_argnames="n")
    with pytest.raises(TypeError, match=r"neither numbers nor hashable: n=\[2, 3\]"):
        f(X, [2, 3])
    assert f(X, (2, 3)).shape == (2, 3)


@pytest.mark.tiny
@pytest.mark.parametrize(
    "f",
    [
        lambda x, n: pg.reshape(x, (n, -1)), lambda x, n: pg.sum(x, axis=n), lambda x, n: x[:n],
        lambda x, n: sum(x for _ in range(n)), lambda x, n: x * float(n),
    ],
)  # fmt: skip
def test_a_fed_number_where_python_needs_one_says_how_to_make_it_static(f):
    with pytest.raises(
        GraphError, match=r"'n' has no value yet.*pg.function\(f, static_argnames='n'"
    ):
        pg.function(f)(X, 2)
    with pytest.raises(GraphError, match=r"can't decide an `if`; use pg.where.* static_argnames="):
        pg.function(lambda x, n: x if n > 1 else -x)(X, 2)
    pg.function(f, static_argnames="n")(X.reshape(1, 6), 1)


# -------------------------------------------------------------------------------- what f reads

FACTOR = 2.0


def helper(x):
    return x * 2


@pytest.mark.tiny
def test_rebinding_what_the_function_reads_traces_again(monkeypatch):
    near = 1.0
    traces: list[int] = []

    @pg.function
    def f(x):
        traces.append(1)
        inner = lambda: helper(x) * FACTOR + near  # noqa: E731
        return inner()

    def is_right(value: float) -> bool:
        return all(np.array_equal(f(X), X * value + near) for _ in range(2))

    assert is_right(4)
    near = 10.0
    assert is_right(4)
    monkeypatch.setitem(globals(), "FACTOR", 3.0)
    assert is_right(6)
    monkeypatch.setitem(globals(), "helper", lambda x: x * 5)
    assert is_right(15)
    assert len(traces) == 4
    near, traces[:] = 1.0, []
    monkeypatch.undo()
    assert is_right(4)
    assert traces == []  # what it was traced with before


def test_a_variable_made_anew_is_the_one_that_is_trained():
    w = pg.Variable(1.0)
    step = pg.function(lambda x: (w.assign(w + x), w * 1)[1])
    assert [step(1.0), step(np.array(1.0)), step(np.array(1.0))] == [2.0, 3.0, 4.0]
    first, w = w, pg.Variable(10.0)
    assert [step(np.array(1.0)), step(np.array(1.0))] == [11.0, 12.0]
    assert (first.item(), w.item()) == (4.0, 12.0)


def test_a_value_at_the_place_of_a_former_one_is_another():
    data = np.array([1.0])
    f = pg.function(lambda x: x * pg.sum(data))
    for number in range(20):
        data = np.array([float(number)])  # often where the last one was
        assert_same(f(X), X * number)


def test_what_a_function_assigns_itself_does_not_count():
    count = 0

    @pg.function
    def f(x):
        nonlocal count
        count += 1
        return x * 2

    for _ in range(3):
        f(X)
    assert count == 1


def test_a_variable_that_is_gone_is_missed_by_python(monkeypatch):
    f = pg.function(lambda x: x * FACTOR)
    f(X)
    monkeypatch.delitem(globals(), "FACTOR")
    with pytest.raises(NameError, match="FACTOR"):
        f(X)
