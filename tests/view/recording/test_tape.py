"""The tape: what it records, bit-exact replay, and edits that recompute exactly the dependents."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ShapeError, TapeError
from view.recording.steps import INPUTS, LABELS, compiled_step, eager_loop, network

# ---------------------------------------------------------------- what is recorded


def test_eager_steps_are_runs_with_forward_backward_and_update():
    with pg.record() as tape:
        w = eager_loop(3)
    assert len(tape) == 3
    roles = [(moment.entry.role, moment.entry.operation) for moment in tape.moments(1)]
    assert roles[0] == ("forward", "multiply")
    assert ("backward", "add") in roles
    assert roles[-1] == ("update", "assign")
    # Three float32 operations a step: tighter than the dtype's tolerance.
    np.testing.assert_allclose(tape.history("w"), [3, 2.4, 1.92], rtol=1e-6)
    assert float(tape.runs[-1].values[-1]) == float(w)
    assert tape.runs[0].script is tape.runs[2].script  # what repeats is kept once


def test_an_eager_optimizer_step_is_one_run():
    with pg.record() as tape:
        model, optimizer = network(), pg.optim.Adam()
        for _ in range(3):
            loss = pg.cross_entropy(model(pg.tensor(INPUTS), training=True), LABELS)
            optimizer.minimize(loss)
    steps = [run for run in tape.runs if any(entry.name == "loss" for entry in run.entries)]
    assert len(steps) == 3
    assert not tape.differences(tape.replay())


def test_sessions_and_functions_are_recorded_with_the_engines_own_numbers():
    plain, recorded = network(), network()
    without = [compiled_step(plain)(INPUTS, LABELS) for _ in range(1)]
    step = compiled_step(recorded)
    with pg.record() as tape:
        within = [step(INPUTS, LABELS) for _ in range(1)]
    np.testing.assert_array_equal(without, within)
    assert {entry.role for entry in tape.runs[0].entries} == {"forward", "backward", "update"}
    with pg.Graph() as graph, pg.record() as tape:
        x = pg.placeholder(name="x")
        y = pg.sin(x, name="y")
        assert not len(tape)
        found = pg.Session(graph).run(y, {x: [1.0, 2.0]})
    np.testing.assert_array_equal(tape.value(y), found)
    np.testing.assert_array_equal(tape.value("x"), np.float32([1, 2]))


def test_recording_changes_nothing_and_ends():
    plain, recorded = network(), network()
    one, other = compiled_step(plain), compiled_step(recorded)
    for number in range(6):
        a = one(INPUTS, LABELS)
        if number % 2:
            b = other(INPUTS, LABELS)
        else:
            with pg.record():
                b = other(INPUTS, LABELS)
        assert a.tobytes() == b.tobytes()
    for a, b in zip(plain.variables().values(), recorded.variables().values(), strict=True):
        assert a.numpy().tobytes() == b.numpy().tobytes()


def test_only_this_thread_is_recorded():
    with pg.record() as tape:
        thread = threading.Thread(target=lambda: pg.tensor(1.0) + 1)
        thread.start()
        thread.join()
        pg.tensor(1.0) * 2
    assert [moment.entry.operation for moment in tape.moments()] == ["multiply"]


def test_a_feed_that_the_caller_overwrites_stays_as_it_was():
    buffer = np.ones(3)
    f = pg.function(lambda x: x * 2)
    with pg.record() as tape:
        f(buffer)
        buffer[:] = 7
    assert not tape.differences(tape.replay())
    assert buffer.flags.writeable


def test_what_an_exception_ends_is_on_the_tape():
    tape = None

    def fails():
        nonlocal tape
        with pg.record() as tape:
            pg.exp(pg.tensor(1.0))
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert [moment.entry.operation for moment in tape.moments()] == ["exp"]


# ---------------------------------------------------------------- replay


@pytest.mark.parametrize("style", ["eager", "function"])
def test_replay_of_200_steps_gives_identical_bytes(style):
    model = network()
    step = compiled_step(model)
    with pg.record() as tape:
        if style == "function":
            for number in range(200):
                batch = slice(number % 4 * 8, number % 4 * 8 + 8)
                step(INPUTS[batch], LABELS[batch])
        else:
            eager_loop(200)
    assert len(tape) == 200
    again = tape.replay()
    assert tape.differences(again) == []
    if style == "function":
        last = again.runs[-1]
        assigned = {e.name: last.values[e.place] for e in last.entries if e.assigns}
        weight = next(iter(model.variables().values()))
        assert assigned["weight"].tobytes() == weight.numpy().tobytes()
        product = next(entry.place for entry in last.entries if entry.operation == "matmul")
        assert last.values[product] is not tape.runs[-1].values[product]  # computed, not copied


def test_replay_and_comparison_would_see_a_single_bit():
    with pg.record() as tape:
        eager_loop(2)
    value = np.array(tape.runs[1].values[3])
    value.view(np.uint32)[...] ^= 1
    tape.runs[1].values[3] = value
    assert tape.differences(tape.replay()) == [(1, 3)]


# ---------------------------------------------------------------- edits


def descendants(run, place):
    """By the definition, slowly: all operations that can be reached from a place of one run."""
    found = {place}
    changed = True
    while changed:
        changed = False
        for entry in run.entries:
            if entry.place not in found and found.intersection(entry.inputs):
                found.add(entry.place)
                changed = True
    return {at for at in found if at != place and not run.entries[at].assigns}


def test_an_edited_node_recomputes_exactly_its_descendants():
    step = compiled_step(network())
    with pg.record() as tape:
        step(INPUTS, LABELS)
    run = tape.runs[0]
    counts = set()
    for entry in run.entries:
        if entry.assigns or not isinstance(entry.dtype, str) or "float" not in entry.dtype:
            continue
        edited = tape.edit((0, entry.place), np.asarray(run.values[entry.place]) * 2, onward=False)
        expected = descendants(run, entry.place)
        assert set(edited.recomputed) == {(0, at) for at in expected}
        assert len(edited.recomputed) == len(expected)
        touched = expected | {entry.place}
        for other in run.entries:
            if other.place not in touched and not other.assigns:
                assert edited.runs[0].values[other.place] is run.values[other.place]
        counts.add(len(expected))
    assert len(counts) > 10


def test_an_edit_gives_what_the_program_gives_with_that_value():
    def run(start):
        w = pg.Variable(start, name="w")
        x = pg.Variable(1.5, name="x")
        optimizer = pg.optim.Momentum(0.1)
        step = pg.function(lambda: optimizer.minimize(pg.sin(w * x)))
        with pg.record() as tape:
            for _ in range(5):
                step()
        return tape

    one, other = run(0.3), run(0.7)
    edited = one.edit("w", 0.7)
    assert edited.differences(other) == []
    assert len(one.differences(other)) > 5
    assert {at for at, _ in edited.recomputed} == {0, 1, 2, 3, 4}
    assert {at for at, _ in one.edit("w", 0.7, onward=False).recomputed} == {0}
    later = one.edit("w", 0.7, run=3)
    assert {at for at, _ in later.recomputed} == {3, 4}


def test_an_edit_inside_a_composite_pulled_back_through_its_parts():
    def run(start):
        w = pg.Variable(start, name="w")
        with pg.record() as tape:
            loss = pg.mse(w, [1.0, 2.0])
            loss.backward()
        return tape

    one, other = run([0.0, 0.0]), run([3.0, 1.0])
    assert one.edit("w", [3.0, 1.0]).differences(other) == []


def test_an_edit_of_another_shape_says_so():
    with pg.record() as tape:
        eager_loop(1)
    with pytest.raises(ShapeError, match=r"'w' has shape \(\), got \(2,\)"):
        tape.edit("w", [1.0, 2.0])
    with pytest.raises(TapeError, match=r"the tape has no entry for 'v'\. It has .*loss"):
        tape.edit("v", 1.0)


# ---------------------------------------------------------------- stepping


def test_steps_go_either_way_and_stop_at_the_ends():
    with pg.record() as tape:
        eager_loop(2)
    names = []
    while (moment := tape.step()) is not None:
        names.append((moment.run, moment.entry.place))
    assert names == [(m.run, m.entry.place) for m in tape.moments()]
    back = []
    while (moment := tape.step(-1)) is not None:
        back.append((moment.run, moment.entry.place))
    assert back == names[::-1]
    tape.rewind()
    assert tape.step(2).entry.place == names[1][1]
    assert "backward" in str(tape.step())


def test_breakpoints_on_node_shape_and_predicate():
    step = compiled_step(network())
    with pg.record() as tape:
        for _ in range(3):
            step(INPUTS, LABELS)
    tape.stop_at("loss")
    assert [tape.go().run for _ in range(3)] == [0, 1, 2]
    assert tape.go() is None
    tape.rewind()
    tape.clear_stops()
    tape.stop_at(shape=(32, 6), when=lambda moment: moment.entry.role == "backward")
    first = tape.go()
    assert (first.entry.shape, first.entry.role) == ((32, 6), "backward")
    tape.rewind()
    tape.clear_stops()
    tape.stop_at(when=lambda moment: moment.run == 1 and np.max(moment.summary.high) > 0)
    assert tape.go().run == 1
    w = pg.Variable(1.0)
    with pg.record() as tape:
        y = pg.exp(w)
        w.assign(y * 2)
    tape.stop_at(y)
    assert tape.go().entry.operation == "exp"
    with pytest.raises(TapeError, match="give a node"):
        tape.stop_at()


class Exp(pg.Elementwise):
    """y = 3x, called like one of the library's."""

    def f(m, x):
        return 3 * x


def test_two_operations_of_one_name_on_one_line_are_distinguished(tmp_path):
    with pg.record() as tape:
        own, library = Exp(pg.tensor(2.0)), pg.exp(pg.tensor(0.0))
    tape.save(tmp_path / "t.tape")
    for one in (tape, pg.load_tape(tmp_path / "t.tape"), tape.replay()):
        assert (one.value(own), one.value(library)) == (6.0, 1.0)


def test_a_number_in_an_expression_is_one_again_in_the_recorded_graph(tmp_path):
    x = pg.Variable([-7.0, 1.0])
    with pg.record() as tape:
        pg.sum(x**2 * pg.tensor(3.0))
    tape.save(tmp_path / "tape")
    for found in (tape, pg.load_tape(tmp_path / "tape")):
        leaves = [node for node in pg.postorder(*found.graph().roots) if not node.inputs]
        assert [getattr(node, "scalar", None) for node in leaves] == [None, 2, None]
