"""A training that was killed and resumed ends with the same bytes as one that never stopped."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from palingrad import nn
from palingrad.errors import CheckpointError
from palingrad.io import load_checkpoint
from palingrad.optim import Adam, Momentum
from palingrad.train import fit

from .resumable import X, Y, state, trained


class Stop(Exception):
    """Raised by a callback, as a fault of the user's would be."""


def assert_same(first, second):
    assert list(first) == list(second)
    for name, value in first.items():
        np.testing.assert_array_equal(second[name], value, err_msg=name)


def test_it_goes_on_from_any_step_to_the_same_bits(tmp_path: Path):
    model, optimizer, history = trained(tmp_path / "whole", keep=1000)
    wanted = state(model, optimizer)
    folders = sorted((tmp_path / "whole").iterdir())
    assert len(folders) == 6 * 4  # 120 examples in batches of 32
    for folder in folders[::5]:
        other = tmp_path / "other"
        shutil.rmtree(other, ignore_errors=True)
        shutil.copytree(folder, other / folder.name)
        model, optimizer, resumed = trained(other, resume=True)
        assert_same(wanted, state(model, optimizer))
        assert [(e.number, e.loss, e.accuracy, e.test_loss) for e in resumed.epochs] == [
            (e.number, e.loss, e.accuracy, e.test_loss) for e in history.epochs
        ]
        assert resumed.best_epoch == history.best_epoch


def test_a_fault_of_the_user_s_loses_nothing(tmp_path: Path):
    wanted = state(*trained(tmp_path / "whole")[:2])

    def fails(history):
        if len(history.epochs) == 3:
            raise Stop

    with pytest.raises(Stop):
        trained(tmp_path / "run", on_epoch=fails)
    assert_same(wanted, state(*trained(tmp_path / "run", resume=True)[:2]))


def test_a_finished_training_resumes_to_itself_and_more_epochs_go_on(tmp_path: Path):
    wanted = state(*trained(tmp_path / "whole", epochs=8, patience=None)[:2])
    done = state(*trained(tmp_path / "run", patience=None)[:2])
    assert_same(done, state(*trained(tmp_path / "run", patience=None, resume=True)[:2]))
    more = trained(tmp_path / "run", patience=None, epochs=8, resume=True)
    assert_same(wanted, state(*more[:2]))
    assert len(more[2].epochs) == 8


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from resumable import trained, state
from palingrad.io import save_checkpoint
model, optimizer, history = trained(sys.argv[1], resume=True)
save_checkpoint(sys.argv[2], state(model, optimizer))
"""


def test_it_is_killed_at_any_moment(tmp_path: Path):
    """A few kills here; `python -m soak kills` does many."""
    script = tmp_path / "train.py"
    script.write_text(SCRIPT.format(tests=str(Path(__file__).parent)))
    wanted = state(*trained(tmp_path / "whole")[:2])
    moments, folder = random.Random(0), tmp_path / "run"
    for kills in range(40):
        process = subprocess.Popen([sys.executable, script, folder, tmp_path / "end"],
                                   env=os.environ)  # fmt: skip
        before = len(list(folder.glob("step-*"))) if folder.exists() else 0
        while process.poll() is None and kills < 6:
            found = sorted(folder.glob("step-*")) if folder.exists() else []
            if found and (len(found) != before or kills):
                time.sleep(moments.uniform(0, 0.05))
                break
            time.sleep(0.005)
        if kills < 6:
            process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            break
    assert process.returncode == 0
    found = load_checkpoint(tmp_path / "end").arrays
    assert_same(dict(sorted(wanted.items())), dict(sorted(found.items())))


# ---------------------------------------------------------------- checkpoints


def test_only_the_newest_stay(tmp_path: Path):
    trained(tmp_path, keep=3, every=None)
    assert [one.name for one in sorted(tmp_path.iterdir())] == [
        "step-00000016", "step-00000020", "step-00000024",
    ]  # fmt: skip


def test_a_damaged_checkpoint_is_told_and_the_one_before_it_taken(tmp_path: Path):
    wanted = state(*trained(tmp_path / "run", keep=3)[:2])
    newest = sorted((tmp_path / "run").iterdir())[-1] / "weights.safetensors"
    newest.write_bytes(newest.read_bytes()[:-9])
    with pytest.warns(UserWarning, match=r"step-00000024.*isn't a complete.*step-00000023, is tak"):
        found = trained(tmp_path / "run", resume=True)
    assert_same(wanted, state(*found[:2]))


def test_a_training_with_other_settings_or_another_model_is_refused(tmp_path: Path):
    trained(tmp_path)
    with pytest.raises(CheckpointError, match="is of another training: batch_size was 32, is 16"):
        trained(tmp_path, resume=True, batch_size=16)
    model = nn.Linear(4, 2)
    before = model.weight.numpy()
    with pytest.raises(CheckpointError, match=r"doesn't fit this model: missing: model\.weight"):
        fit(model, (X, Y), optimizer=Adam(), batch_size=32, validation=0.2, patience=4, seed=5,
            checkpoint=tmp_path, resume=True)  # fmt: skip
    np.testing.assert_array_equal(model.weight.numpy(), before)
    with pytest.raises(CheckpointError, match="optimizer was 'Adam', is 'Momentum'"):
        fit(model, (X, Y), optimizer=Momentum(0.1), batch_size=32, validation=0.2, patience=4,
            seed=5, checkpoint=tmp_path, resume=True)  # fmt: skip


def test_a_folder_that_can_t_be_written_is_an_error_and_the_checkpoint_before_it_stays(
    tmp_path: Path, monkeypatch
):
    trained(tmp_path, epochs=1)
    kept = sorted(tmp_path.iterdir())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"isn't saved.*No space left on device"):
        trained(tmp_path, resume=True, epochs=2)
    monkeypatch.undo()
    assert (
        sorted(one for one in tmp_path.iterdir() if (one / "weights.safetensors").exists()) == kept
    )
    trained(tmp_path, resume=True, epochs=2)
