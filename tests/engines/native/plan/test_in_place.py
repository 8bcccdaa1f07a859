"""Updates in place are invisible: holding, reading, assigning, copying or saving a Variable gives
what it would give if each run made new arrays."""

from __future__ import annotations

import copy
import pickle
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import palingrad as pg
from palingrad.engines.native.runtime.aligned_alloc import placed
from palingrad.io import load_checkpoint, save_checkpoint
from tolerances import assert_close, assert_same

Array = np.ndarray[Any, Any]


def native(f: Any) -> Any:
    return pg.function(f, engine="native")


def counter(start: Any = 0.0, size: int = 5) -> tuple[pg.Variable, Any]:
    """A Variable and a program that adds what it is given to it."""
    w = pg.Variable(np.full(size, start), dtype=pg.float64)

    @native
    def step(x):
        w.assign(w + x)
        return pg.sum(w)

    return w, step


# ------------------------------------------------------------------ who looks from outside


def test_updates_are_written_in_place():
    w, step = counter()
    step(np.ones(5))
    before = w.numpy().ctypes.data
    for _ in range(3):
        step(np.ones(5))
    assert w.numpy().ctypes.data == before
    assert_same(w.value, np.full(5, 4.0))


@pytest.mark.parametrize("size", [5, 5000])  # large arrays lie in memory of another kind
@pytest.mark.parametrize("read", [lambda w: w.value, lambda w: w.numpy(), lambda w: w.value[1:]])
def test_an_array_that_a_user_holds_never_changes(read, size):
    w, step = counter(size=size)
    held = [read(w)]
    for number in range(1, 6):
        step(np.ones(size))
        held.append(read(w))
        assert not held[-1].flags.writeable
        assert float(step(np.zeros(size))) == size * number
    for number, value in enumerate(held):
        assert_same(value, np.full(value.shape, float(number)))


def test_a_value_assigned_between_steps_counts_and_the_array_given_stays():
    w, step = counter()
    mine = np.full(5, 10.0)
    for _ in range(3):
        step(np.ones(5))
        w.assign(mine)
        step(np.ones(5))
        assert_same(w.value, np.full(5, 11.0))
        w.assign(w * 2)
        assert_same(w.value, np.full(5, 22.0))
    assert_same(mine, np.full(5, 10.0))


def test_results_made_from_a_leased_variable_are_up_to_date():
    w, step = counter()
    with pg.Graph() as graph:
        double = w * 2  # computed when it is asked for, and kept until w changes
    for number in range(1, 4):
        assert_same(graph.evaluate(double), np.full(5, 2.0 * (number - 1)))
        step(np.ones(5))
        assert_same((w + 0).numpy(), np.full(5, float(number)))


def test_returned_results_are_not_overwritten_by_the_next_run():
    w = pg.Variable(np.zeros((3, 4)))

    @native
    def step(x):
        results = pg.exp(w), w + x, pg.sum(w), (w * 2).mT, x
        w.assign(w + x)
        return results

    runs = [step(np.ones((3, 4))) for _ in range(4)]
    views = [run[1][1:, ::2] for run in runs]
    del runs[2]  # whose arrays may be used again
    step(np.ones((3, 4)))
    for number, run in zip((0, 1, 3), runs, strict=True):
        full = np.full((3, 4), float(number))
        expected = [np.exp(full), full + 1, full.sum(), 2 * full.T, np.ones((3, 4))]
        for one, other in zip(run, expected, strict=True):
            assert_close(one, np.asarray(other, one.dtype))
            assert not one.flags.writeable
    for number, view in enumerate(views):
        assert_same(view, np.full((2, 2), number + 1.0, view.dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_feeds_of_any_layout_alignment_and_permission(dtype):
    w = pg.Variable(np.zeros((4, 6)), dtype=dtype)
    step = native(lambda x: w.assign(w + x * 2))
    plain = np.arange(24, dtype=dtype).reshape(4, 6)
    room = np.zeros(plain.nbytes + 1, np.uint8)
    misaligned = room[1:].view(dtype).reshape(4, 6)
    misaligned[:] = plain
    frozen = plain.copy()
    frozen.setflags(write=False)
    wide = np.zeros((4, 12), dtype)
    wide[:, ::2] = plain
    feeds = [plain, misaligned, frozen, wide[:, ::2], np.asfortranarray(plain), plain[::-1, ::-1]]
    feeds.append(np.broadcast_to(plain[:1], (4, 6)))
    expected = np.zeros((4, 6), dtype)
    for _ in range(2):
        for x in feeds:
            live_out = x.copy()
            step(x)
            expected = expected + x * 2
            assert_same(w.value, expected)
            assert_same(x, live_out)


def test_a_variable_fed_with_its_own_value():
    w, step = counter(1.0)
    for number in range(4):
        step(w.value)
        assert_same(w.value, np.full(5, 2.0 ** (number + 1)))


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda w: pickle.loads(pickle.dumps(w))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_copies_of_a_leased_variable_are_independent(duplicate):
    w, step = counter()
    step(np.ones(5))
    other = duplicate(w)
    step(np.ones(5))
    assert_same(other.value, np.ones(5))
    other.assign(np.full(5, 7.0))
    step(np.ones(5))
    assert_same(w.value, np.full(5, 3.0))


def test_a_checkpoint_saved_between_steps_holds_the_latest_values(tmp_path):
    model = pg.nn.Linear(3, 2)
    optimizer = pg.optim.Adam(0.1)

    @native
    def step(x):
        loss = pg.sum(model(x) ** 2)
        optimizer.minimize(loss)
        return loss

    x = np.ones((4, 3), np.float32)
    saved: list[dict[str, Array]] = []
    for number in range(3):
        step(x)
        save_checkpoint(tmp_path / f"{number}", model.variables())
        saved.append({name: one.numpy().copy() for name, one in model.variables().items()})
    for number, expected in enumerate(saved):
        found = load_checkpoint(tmp_path / f"{number}").arrays
        for name, value in expected.items():
            assert_same(found[name], value)


# ------------------------------------------------------------------ several programs


def test_two_programs_update_the_same_variable_in_turn():
    w = pg.Variable(np.zeros(5), dtype=pg.float64)
    add = native(lambda: w.assign(w + 1))
    double = native(lambda: w.assign(w * 2))
    look = native(lambda x: pg.sum(w) + x)
    expected = 0.0
    for number in range(6):
        add()
        double()
        expected = (expected + 1) * 2
        assert float(look(np.float64(0))) == 5 * expected
        if number % 2:
            add()
            expected += 1
    assert_same(w.value, np.full(5, expected))


def test_a_variable_that_one_program_updates_and_another_reads():
    a = pg.Variable(np.zeros(4), dtype=pg.float64)
    b = pg.Variable(np.zeros(4), dtype=pg.float64)
    count = native(lambda: a.assign(a + 1))
    gather = native(lambda: b.assign(b + a))
    held: list[Array] = []
    for _ in range(5):
        count()
        gather()
        held.append(a.numpy())
        count()
    assert_same(b.value, np.full(4, 1.0 + 3 + 5 + 7 + 9))
    for number, value in enumerate(held):
        assert_same(value, np.full(4, 2.0 * number + 1))


@pytest.mark.parametrize("threads", [2, 4])
def test_programs_of_several_threads_lose_no_update(threads):
    a = pg.Variable(np.zeros(7), dtype=pg.float64)
    b = pg.Variable(np.zeros(7), dtype=pg.float64)
    programs = [
        native(lambda: (a.assign(a + 1), b.assign(b + 1))),
        native(lambda: (b.assign(b + 2), a.assign(a + 2))),
        native(lambda: (a.assign(a - 1), b.assign(b - 1), pg.sum(a))),
        native(lambda: (b.assign(b + 3), a.assign(a + 3))),
    ]
    torn: list[Any] = []
    both = native(lambda: (a + 0, b + 0))

    def run(program: Any) -> None:
        for number in range(150):
            program()
            if number % 10 == 0:
                one, other = both()
                if not np.array_equal(one, other):
                    torn.append((one, other))
                value = a.numpy()
                if not (value == value[0]).all():
                    torn.append(value)

    runners = [threading.Thread(target=run, args=(program,)) for program in programs[:threads]]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert torn == []
    expected = np.full(7, 150.0 * sum([1, 2, -1, 3][:threads]))
    assert_same(a.value, expected)
    assert_same(b.value, expected)


def test_one_program_called_by_two_threads_loses_no_update():
    w, step = counter()
    step(np.ones(5))
    x = np.ones(5)
    runners = [threading.Thread(target=lambda: [step(x) for _ in range(300)]) for _ in range(2)]
    for runner in runners:
        runner.start()
    for runner in runners:
        w.value  # noqa: B018 - which ends the lease in the middle
        runner.join()
    assert_same(w.value, np.full(5, 601.0))


def test_a_reader_during_the_start_of_a_lease_never_sees_the_value_change(monkeypatch):
    a, b = (pg.Variable(np.zeros(4), dtype=pg.float64) for _ in range(2))
    step = native(lambda: (a.assign(a + 1), b.assign(b + 1), pg.sum(a))[2])
    step()
    held = b.numpy()  # so that the next run copies it, when it has a already
    found: list[Array] = []

    def read() -> None:
        value = a.numpy()
        found.extend([value, value.copy()])

    reader = threading.Thread(target=read)

    def meanwhile(*arguments: Any) -> Any:
        if reader.ident is None:  # the reader ends the lease, so it is taken again
            reader.start()
            reader.join(0.1)
        return placed(*arguments)

    monkeypatch.setattr("palingrad.engines.native.runtime.lease.placed", meanwhile)
    step()
    reader.join()
    assert_same(found[0], found[1])
    assert_same(held, np.full(4, 1.0))


def test_an_update_reads_other_variables_at_one_moment(monkeypatch):
    a, b, w = (pg.Variable(np.zeros(4), dtype=pg.float64) for _ in range(3))
    move = native(lambda: (a.assign(a + 1), b.assign(b - 1)))
    both = native(lambda: (w.assign(w + a + b), pg.sum(w))[1])
    assert both() == 0.0
    mover = threading.Thread(target=move)

    def meanwhile(variable: pg.Variable) -> Any:
        if variable is b and mover.ident is None:  # a was read already
            mover.start()
            mover.join(0.1)
        return variable._array

    monkeypatch.setattr("palingrad.graph.state.landing.array_of", meanwhile)
    a.assign(a)  # so that the next run reads both again
    assert both() == 0.0
    mover.join()
    assert_same(b.value, np.full(4, -1.0))


# ------------------------------------------------------------------ what an update may read


def test_two_variables_are_swapped():
    a, b = (pg.Variable(np.full(3, value), dtype=pg.float64) for value in (1.0, 2.0))
    with pg.Graph() as graph:
        swap = [a.assign(b), b.assign(a)]
    session = pg.Session(graph, engine="native")
    for number in range(4):
        session.run(swap)
        assert_same(a.value, np.full(3, 2.0 - number % 2))
        assert_same(b.value, np.full(3, 1.0 + number % 2))


ROW_UPDATES = [  # of v by x at the row i; w is another Variable; whether it is written over v
    (lambda v, w, x, i: v.at[i].set(x), True),
    (lambda v, w, x, i: v.at[:, i].add(x[:, None]), True),
    (lambda v, w, x, i: v.at[i, [0, 1]].max(x[:2]), True),
    (lambda v, w, x, i: w.at[i].set(x), True),
    (lambda v, w, x, i: v.at[i].set(v[0]), False),
    (lambda v, w, x, i: v[::-1].at[i].set(x), False),
]


@pytest.mark.parametrize(("update", "over"), ROW_UPDATES)
def test_rows_of_a_variable_are_replaced(update, over):
    rng = np.random.default_rng(0)
    start, other, xs = rng.normal(size=(6, 6)), rng.normal(size=(6, 6)), rng.normal(size=(4, 6))
    found: list[list[Array]] = []
    for engine in ("numpy", "native"):
        v, w = pg.Variable(start), pg.Variable(other)

        @pg.function(engine=engine)
        def step(x, i, v=v, w=w):
            v.assign(update(v, w, x, i))
            return pg.sum(x)

        held: list[Array] = []
        for x, i in zip(xs, (1, 4, 4, -1), strict=True):
            step(x, np.array([i]))
            held.append(v.numpy())
        with pytest.raises(IndexError):
            step(xs[0], np.array([6]))
        found.append([*held, v.numpy()])
        if engine == "native":
            assert ("2 kernels" in step.explain(xs[0], np.array([1]))) == over  # no copy
    for a, b in zip(*found, strict=True):
        assert_same(a, b)


def test_the_old_value_may_be_a_result():
    w = pg.Variable(np.zeros((2, 3)), dtype=pg.float64)

    with pg.Graph() as graph:
        old = [w + 0, w.mT, pg.reshape(w, (-1,))[2:4]]
        new = w.assign(w + 1)
    session = pg.Session(graph, engine="native")
    held = [session.run([w, *old, new])[:-1] for _ in range(4)]
    for number, results in enumerate(held):
        for one in results:
            assert_same(one, np.full(one.shape, float(number)))


def test_the_new_value_may_be_a_result():
    w = pg.Variable(np.zeros((2, 3)), dtype=pg.float64)

    @native
    def step():
        new = w + 1
        w.assign(new)
        return new, new.mT, pg.sum(new, axis=0)

    held = [step() for _ in range(4)]
    for number, results in enumerate(held):
        for one, factor in zip(results, (1, 1, 2), strict=True):
            assert_same(one, np.full(one.shape, factor * (number + 1.0)))


def following(
    step: Callable[..., Any], starts: list[Array], feeds: list[Array], times: int
) -> None:
    """Assert that `step(variables, *feeds)` does the same on both engines, run after run."""
    made: dict[str, list[pg.Variable]] = {}
    runs: dict[str, list[Any]] = {}
    for engine in ("numpy", "native"):
        variables = made[engine] = [pg.Variable(start) for start in starts]

        def run(*xs: Any, variables: Any = variables) -> Any:
            return step(variables, *xs)

        f = pg.function(run, engine=engine)
        runs[engine] = []
        for _ in range(times):
            results = f(*feeds)
            held = [variable.numpy() for variable in variables]
            copies = [value.copy() for value in held]
            runs[engine].append([*results, *copies])
            results = f(*feeds)
            runs[engine].append(list(results))
            for value, live_out in zip(held, copies, strict=True):
                assert_same(value, live_out)
        runs[engine].append([variable.value for variable in variables])
    for found, expected in zip(runs["native"], runs["numpy"], strict=True):
        for one, other in zip(found, expected, strict=True):
            scale = max(float(np.abs(other).max(initial=0)), 1.0)
            assert_close(one / scale, other / scale)


def test_a_large_product_that_is_an_update_and_read_with_the_old_value():
    # Its sums wait between blocks of terms where the new value will be: not over the old one.
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=shape) / 30 for shape in ((120, 700), (700, 110)))

    def step(variables: Any, x: Any, y: Any) -> Any:
        (w,) = variables
        product = pg.matmul(x, y)
        difference = product - w
        w.assign(product)
        return [difference * 2, pg.sum(difference)]

    following(step, [rng.normal(size=(120, 110))], [x, y], 2)


def test_a_deep_product_that_is_an_update_and_read_with_the_old_value():
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=shape) / 50 for shape in ((6, 2500), (2500, 9)))

    def step(variables: Any, x: Any, y: Any) -> Any:
        (w,) = variables
        product = pg.matmul(x, y)
        results = [product * 3 - w]
        w.assign(product)
        return results

    following(step, [rng.normal(size=(6, 9))], [x, y], 2)


def test_a_factor_of_a_product_is_updated_with_it():
    rng = np.random.default_rng(1)

    def step(variables: Any, x: Any) -> Any:
        a, b = variables
        a.assign(pg.tanh(a @ b) + a)
        b.assign(b - 0.1 * (a.mT @ x))
        return [pg.sum(a @ x, axis=0)]

    starts = [rng.normal(size=(20, 20)), rng.normal(size=(20, 20))]
    following(step, starts, [rng.normal(size=(20, 20))], 2)


def test_updates_by_weight_gradients_with_another_layout():
    rng = np.random.default_rng(2)

    def step(variables: Any, x: Any) -> Any:
        w, momentum, turned = variables
        loss = pg.sum(pg.tanh(pg.conv2d(x, w, padding=1)))
        slope = pg.gradients(loss, w)
        momentum.assign(slope)
        turned.assign(pg.permute_dims(slope, (1, 0, 2, 3)))
        w.assign(w - 0.05 * (momentum * 0.9 + slope))
        return [loss]

    starts = [rng.normal(size=shape) for shape in ((6, 5, 3, 3), (6, 5, 3, 3), (5, 6, 3, 3))]
    following(step, starts, [rng.normal(size=(2, 5, 7, 8))], 2)


@pytest.mark.parametrize("order", [1, -1])
def test_a_gradient_kept_in_two_orders_of_axes(order):
    rng = np.random.default_rng(3)

    def step(variables: Any, x: Any, w: Any) -> Any:
        slope = pg.gradients(pg.sum(pg.tanh(pg.conv2d(x, w))), w)
        values = [slope, pg.permute_dims(slope, (1, 0, 2, 3))]
        for variable, value in list(zip(variables, values, strict=True))[::order]:
            variable.assign(value)
        return []

    starts = [np.zeros((6, 5, 3, 3)), np.zeros((5, 6, 3, 3))]
    following(step, starts, [rng.normal(size=(2, 5, 7, 8)), rng.normal(size=(6, 5, 3, 3))], 2)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (lambda x, w: pg.conv2d(x, w), (2, 6, 4, 6)),
        (lambda x, w: pg.max_pool(x, 2), (2, 5, 3, 4)),
        (lambda x, w: pg.gradients(pg.sum(pg.tanh(pg.conv2d(x, w))), w), (6, 5, 3, 3)),
        (lambda x, w: pg.gradients(pg.sum(pg.tanh(pg.conv2d(x, w))), x), (2, 5, 6, 8)),
    ],
    ids=["forwards", "pool", "weight", "input"],
)
def test_updated_values_with_another_layout(value, shape, fused):
    rng = np.random.default_rng(4)

    def step(variables: Any, x: Any, w: Any) -> Any:
        new = value(x, w)
        variables[0].assign(pg.tanh(new) + 1.0 if fused else new)
        return []

    starts = [np.zeros(shape)]
    following(step, starts, [rng.normal(size=(2, 5, 6, 8)), rng.normal(size=(6, 5, 3, 3))], 2)


# ------------------------------------------------------------------ updates that nobody thought of

VALUES: list[Callable[[Any, Any, Any, Any], Any]] = [
    lambda a, b, c, x: a * 0.5 + x,
    lambda a, b, c, x: b,
    lambda a, b, c, x: b.mT,
    lambda a, b, c, x: c.mT * 0.5 + a,
    lambda a, b, c, x: a[::-1] * 0.9,
    lambda a, b, c, x: b[:, ::-1],
    lambda a, b, c, x: pg.tanh(a @ b),
    lambda a, b, c, x: b @ x + a,
    lambda a, b, c, x: a - pg.mean(a, axis=1, keepdims=True),
    lambda a, b, c, x: pg.softmax(a + b),
    lambda a, b, c, x: pg.broadcast_to(pg.sum(b, axis=0), b.shape) * 0.1 + c,
    lambda a, b, c, x: x,
    lambda a, b, c, x: pg.concat([b[1:], a[:1]], axis=0),
    lambda a, b, c, x: pg.reshape(pg.reshape(a, (-1,))[::-1], a.shape) * 0.5,
    lambda a, b, c, x: pg.maximum(a, b) - c,
    lambda a, b, c, x: pg.tanh(a) if a is not b else a,
]
RESULTS: list[Callable[[list[Any], list[Any], Any], Any]] = [
    lambda old, new, x: old[0],
    lambda old, new, x: new[0],
    lambda old, new, x: new[1].mT,
    lambda old, new, x: pg.sum(old[0] * new[1], axis=0),
    lambda old, new, x: old[1] @ new[0],
    lambda old, new, x: old[2][1:] + new[2][:-1],
    lambda old, new, x: pg.sum(x),
]
UPDATES = st.lists(st.integers(0, len(VALUES) - 1), min_size=1, max_size=3)


@given(UPDATES, st.sets(st.integers(0, len(RESULTS) - 1), max_size=3), st.booleans())
def test_updates_of_any_kind_follow_the_numpy_engine(updates, results, shared):
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=(6, 6)) for _ in range(3)]

    def step(variables: Any, x: Any) -> Any:
        values: list[Any] = []
        for number, kind in enumerate(updates):
            own, other, third = (variables[(number + shift) % 3] for shift in range(3))
            values.append(VALUES[kind](own, other, third, x))
        if shared and len(values) > 1:
            values[1] = values[0]
        new = [*values, *variables[len(values) :]]
        found = [RESULTS[kind](list(variables), new, x) for kind in sorted(results)]
        for variable, value in zip(variables, values, strict=False):
            variable.assign(value)
        return found

    following(step, starts, [rng.normal(size=(6, 6))], 2)


def test_a_failed_lease_changes_nothing(monkeypatch):
    v = pg.Variable(np.ones(3, np.float32))
    f = pg.function(lambda x: (v.assign(v + x), pg.sum(x))[1], engine="native")
    f(np.ones(3, np.float32))
    held = v.numpy()  # so that the next run must copy

    def full(*arguments):
        raise MemoryError("no room")

    with monkeypatch.context() as patched:
        patched.setattr("palingrad.engines.native.runtime.lease._exclusive", full)
        with pytest.raises(MemoryError, match="no room"):
            f(np.ones(3, np.float32))
    np.testing.assert_array_equal(held, np.full(3, 2, np.float32))
    other = threading.Thread(target=f, args=(np.ones(3, np.float32),), daemon=True)
    other.start()  # another thread, for which a lock left behind is not its own
    other.join(20)
    assert not other.is_alive()
    np.testing.assert_array_equal(v.numpy(), np.full(3, 3, np.float32))
    np.testing.assert_array_equal(held, np.full(3, 2, np.float32))


def test_without_exact_reference_counts_no_array_is_reused(monkeypatch):
    """As without the GIL."""
    runtime = "palingrad.engines.native.runtime"
    monkeypatch.setattr(f"{runtime}.lease._OWN", 0)
    monkeypatch.setattr(f"{runtime}.buffers.HELD", 0)
    monkeypatch.setattr("palingrad.engines.native.quick_run.HELD", 0)
    w, step = counter()
    f = pg.function(lambda x: x + w, engine="native")
    found: list[Any] = []
    for number in range(1, 4):
        step(np.ones(5))
        found.append(f(np.zeros(5)))
        assert_same(w.value, np.full(5, float(number)))
    for number, array in enumerate(found, 1):
        assert_same(array, np.full(5, float(number)))


def test_repeat_keeps_no_more_of_a_run_than_its_results():
    v = pg.Variable(np.zeros((64, 64)))
    step = native(lambda x: (v.assign(pg.tanh(v @ x) + 1), pg.sum(v))[1])
    x = np.full((500, 64, 64), 0.01)
    step.repeat(x[:2], along=(0,))
    tracemalloc.start()
    step.repeat(x, along=(0,))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20  # all new values of v would take 16 MB
