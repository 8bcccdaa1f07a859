"""Several processes train as one does, to the bit; they end when one dies or hangs, and others go
on from their checkpoint. `make test-scale` runs these tests."""

from __future__ import annotations

import json
import random
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from palingrad.errors import CheckpointError
from palingrad.processes.launcher import Launch
from palingrad.train import Checkpoints, evaluate, load_run
from scale.digits_training import trained
from scale.launched import launched, losses

pytestmark = pytest.mark.xdist_group("processes")  # they share what is trained once
STEPS = 24
_SAME = ["deterministic=True", "every=1"]


def finished(folder, count, *arguments):
    """A training in so many processes that ends well; its losses."""
    before = len(losses(folder))
    running = launched(folder, count, arguments)
    try:
        assert not any(running.wait(120)), running.text()
    finally:
        running.end()
    return losses(folder)[before:]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="module")
def whole(root):
    """The losses of one process that nothing stops."""
    found = finished(root / "one", 1, *_SAME)
    assert len(found) == STEPS
    assert len({line.split()[0] for line in found}) == STEPS
    return found


@pytest.fixture(scope="module")
def killed(root, whole):
    """A folder of four processes of which one was killed at some moment."""
    folder, chance = root / "four", random.Random(7)
    victim, step = chance.randrange(4), chance.randrange(3, STEPS - 8)
    running = launched(folder, 4, [*_SAME, "sharding='fully_sharded'"])
    try:
        while len(losses(folder)) < step:
            assert all(one.poll() is None for one in running.processes), running.text()
            time.sleep(0.005)
        running.processes[victim].kill()
        start = time.monotonic()
        statuses = running.wait(30)
    finally:
        running.end()
    print(f"process {victim} was killed after step {step}; {time.monotonic() - start:.1f} s")
    for index, status in enumerate(statuses):
        if index != victim:
            assert status == 1, running.text()
            assert f"process {victim} (" in running.text(index), running.text()
            assert "has died: its connection was closed" in running.text(index)
    found = losses(folder)
    assert step <= len(found) < STEPS
    assert found == whole[: len(found)]  # four processes compute what one does
    return folder


def newest(folder):
    found = Checkpoints(folder / "checkpoints").newest()
    assert found is not None
    return found


def test_two_processes_with_many_steps_in_a_call(root, whole):
    found = finished(root / "two", 2, "deterministic=True", "every=4")
    assert found == whole[3::4]


def test_without_deterministic_losses_differ_by_last_bits(root, whole):
    """The mesh adds in another order than blocks do: the same numbers, but for rounding."""
    found = finished(root / "near", 2, "every=4", "epochs=1")
    near, exact = ([float.fromhex(line.split()[0]) for line in lines]
                   for lines in (found, whole[3:8:4]))  # fmt: skip
    np.testing.assert_allclose(near, exact, rtol=8 * float(np.finfo(np.float32).eps))


def test_three_go_on_where_one_of_four_was_killed(root, whole, killed):
    """With the same data order and the same bits, from shards, and with other sharding."""
    saved = newest(killed)
    assert saved.path.name == "weights.index.json"
    done = saved.meta["place"]["steps"]
    found = finished(shutil.copytree(killed, root / "three"), 3, *_SAME, "resume=True")
    assert 0 < done < STEPS
    assert found == whole[done:]
    end, wanted = newest(root / "three"), newest(root / "one")
    assert sorted(end.arrays) == sorted(wanted.arrays)
    for name, array in wanted.arrays.items():
        np.testing.assert_array_equal(end.arrays[name], array, err_msg=name)


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_other_engines_go_on_from_the_shards(root, whole, killed, engine):
    folder = shutil.copytree(killed, root / engine)
    _, _, history = trained(folder, resume=True, engine=engine)
    last = float.fromhex(whole[-1].split()[0])
    assert history.epochs[-1].loss == pytest.approx(last, rel=1e-5)


def test_a_shard_that_is_missing_is_named_in_every_process(root, killed):
    folder = shutil.copytree(killed, root / "damaged")
    for path in (folder / "checkpoints").glob("*/weights-*-00002-of-00004.safetensors"):
        path.unlink()
    with pytest.raises(CheckpointError, match=r"00002-of-00004\.safetensors can't be read"):
        trained(folder, resume=True, engine="numpy")


def test_one_that_hangs_is_named_and_shows_where(root):
    """The other one waits in XLA, from which only its end leads."""
    running = launched(root / "hang", 2, [*_SAME, "hang_at=5", "hangs=1"], patience=4)
    try:
        while len(losses(root / "hang")) < 4:
            assert all(one.poll() is None for one in running.processes), running.text()
            time.sleep(0.01)
        start = time.monotonic()
        assert running.wait(20) == [1, 1], running.text()
        assert time.monotonic() - start < 15
    finally:
        running.end()
    for index in (0, 1):
        assert "process 1 (" in running.text(index)
        assert " hangs: process 0 (" in running.text(index)
    assert "in step_ends" in running.text(1)  # the stacks


def test_processes_that_differ_are_told_before_they_compute(root):
    program = Path(__file__).with_name("differing.py")
    running = launched(root / "differing", 2, [], program=program)
    try:
        assert running.wait(120) == [0, 0], running.text()
    finally:
        running.end()
    pair, mesh = "process 0 and process 1", "mesh: 1 devices of 2: where there are several"
    for index in (0, 1):
        told = dict(line.split(": ", 1) for line in running.text(index).splitlines()
                    if not line.startswith("[Gloo]"))  # fmt: skip
        assert told["settings"] == f"{pair} call fit with different seed."
        assert told["data"] == f"{pair} have different train data."
        assert told["values"].startswith(f"{pair} have different values of the Variable")
        assert told["program"] == f"{pair} compile different programs."
        assert told["feeds"] == f"{pair} feed different arrays to a run."
        assert told["mesh"].startswith(mesh)
        assert "is one of several already" in told["twice"]
        assert told["fine"] == "nothing"


def test_the_command_line_writes_one_run_which_other_engines_read(root, capfd):
    command = [sys.executable, "-m", "palingrad", "train", "digits", "--sharding", "fully_sharded",
               "--epochs", "1", "--out", str(root / "run")]  # fmt: skip
    assert Launch(command, 2).run() == 0
    told = capfd.readouterr().out.splitlines()
    assert "Mesh(data=2), fully_sharded" in told[1]
    assert all(line.startswith("[0] ") for line in told)
    assert (root / "run" / "report.html").is_file()
    assert len([*(root / "run").glob("weights-*.safetensors")]) == 2
    run = load_run(root / "run")
    test = run.parts(run.task.load(run.settings, None))[1]
    found = evaluate(run.model(), test, loss=run.task.loss(run.settings), engine="numpy")
    told_loss = json.loads((root / "run" / "run.json").read_text())["epochs"][-1]["test_loss"]
    assert found.loss == pytest.approx(told_loss, rel=1e-5)
