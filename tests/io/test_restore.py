"""Restoring gives every Variable its array, or changes nothing and says what doesn't fit."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import CheckpointError
from palingrad.io import Checkpoint, load_checkpoint, restore, save_checkpoint

pytestmark = pytest.mark.tiny


def checkpoint(**arrays: Any) -> Checkpoint:
    return Checkpoint(arrays, {}, Path("run/weights.safetensors"))


def test_variables_take_what_was_saved(tmp_path: Path):
    model = {"w": pg.Variable([[1.0, 2.0]]), "steps": pg.Variable(7), "b": pg.Variable(0.5)}
    save_checkpoint(tmp_path, model)
    for variable in model.values():
        variable.assign(variable * 0)
    restore(model, load_checkpoint(tmp_path))
    np.testing.assert_array_equal(model["w"].numpy(), np.array([[1, 2]], np.float32), strict=True)
    np.testing.assert_array_equal(model["steps"].numpy(), 7)
    np.testing.assert_array_equal(model["b"].numpy(), 0.5)


def test_training_goes_on_after_restoring():
    w = pg.Variable(0.0)
    restore({"w": w}, checkpoint(w=np.float32(2)))
    w.assign(w + 1)
    assert w.item() == 3


def test_the_checkpoint_s_arrays_are_copied():
    w, array = pg.Variable([0.0]), np.ones(1, np.float32)
    restore({"w": w}, checkpoint(w=array))
    array[0] = 9
    assert w.item() == 1


def test_it_works_while_a_graph_is_open():
    with pg.Graph() as graph:
        w = pg.Variable(1.0)
        double = w * 2
        restore({"w": w}, checkpoint(w=np.float32(5)))
    assert pg.Session(graph).run(double) == 10


def test_values_computed_before_are_forgotten():
    with pg.Graph() as graph:
        w = pg.Variable(1.0)
        double = w * 2
    graph.jacobians(double)
    assert double.item() == 2
    restore({"w": w}, checkpoint(w=np.float32(5)))
    assert double.value is None  # it waits for the next run


def test_it_lists_all_that_does_not_fit_and_changes_nothing():
    model = {name: pg.Variable(np.zeros((2, 3), np.float32)) for name in ("a", "b", "c", "d", "e")}
    saved = checkpoint(
        a=np.ones((2, 3), np.float32),
        b=np.ones((3, 2), np.float32),
        c=np.ones((2, 3), np.float64),
        other=np.ones(1),
    )
    with pytest.raises(CheckpointError) as caught:
        restore(model, saved)
    assert str(caught.value) == (
        "run/weights.safetensors doesn't fit this model: missing: d, e; unexpected: other; "
        "different: b is float32 (3, 2), here float32 (2, 3), c is float64 (2, 3), here float32 "
        "(2, 3). Build the model as it was when saved: checkpoint.json lists its arrays. "
        "strict=False restores what fits."
    )
    assert all(not variable.numpy().any() for variable in model.values())


def test_a_long_list_is_cut():
    with pytest.raises(CheckpointError, match=r"missing: v0, .*v7 and 12 more\."):
        restore({f"v{i}": pg.Variable(0.0) for i in range(20)}, checkpoint())


def test_only_variables_can_be_restored():
    with pytest.raises(CheckpointError, match="restore: expected Variables, got Constant for 'w'"):
        restore({"w": pg.tensor(1.0)}, checkpoint(w=np.float32(1)))  # pyright: ignore[reportArgumentType]


def test_it_waits_for_a_run_that_updates():
    """Otherwise a thread that assigns again and again would make the run start anew each time."""
    w = pg.Variable(0.0)
    started, goes_on = threading.Event(), threading.Event()

    class Slow(pg.Custom):
        def compute(self, x):
            started.set()
            goes_on.wait(20)
            return x

    session = pg.Session(engine="numpy")
    with pg.Graph():
        step = w.assign(Slow(w) + 1)
    runner = threading.Thread(target=session.run, args=(step,))
    restorer = threading.Thread(target=restore, args=({"w": w}, checkpoint(w=np.float32(5))))
    runner.start()
    started.wait(20)
    restorer.start()
    restorer.join(0.05)
    assert restorer.is_alive()
    assert w.item() == 0
    goes_on.set()
    runner.join()
    restorer.join()
    assert w.item() == 5


def test_one_variable_under_two_names_is_no_deadlock():
    w = pg.Variable(0.0)
    restore({"a": w, "b": w}, checkpoint(a=np.float32(5), b=np.float32(5)))
    assert w.item() == 5


def test_what_fits_is_restored_without_strict_and_the_rest_is_told():
    model = {name: pg.Variable(np.zeros(size)) for name, size in (("a", 2), ("b", 3), ("c", 1))}
    arrays = {"a": np.ones(2), "b": np.ones(4), "other": np.ones(1)}
    found = restore(model, arrays, strict=False)
    assert {name: v.numpy().tolist() for name, v in model.items()} == {
        "a": [1, 1], "b": [0, 0, 0], "c": [0],
    }  # fmt: skip
    assert (found.missing, found.unexpected) == (["c"], ["other"])
    assert found.different == ["b is float64 (4,), here float64 (3,)"]
    with pytest.raises(CheckpointError, match=r"the mapping doesn't fit .* missing: c; un"):
        restore(model, arrays)
    assert not any(restore(model, {name: v.numpy() for name, v in model.items()}))
