"""A run folder gives back the trained model, or says what is wrong with it."""

from __future__ import annotations

import json

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import CheckpointError, DataError
from palingrad.optim import Adam
from palingrad.train import Epoch, History, Run, evaluate, fit, load_run
from palingrad.train.runs import new_run

SETTINGS = {"model": "mlp", "dataset": "digits", "features": 64, "classes": 10}


@pytest.fixture
def trained(tmp_path, train_part, test_part):
    """A run of two epochs, and its model."""
    with new_run(str(tmp_path / "run"), SETTINGS) as run:
        assert run.folder.is_dir()
    pg.set_seed(0)
    model = run.recipe.build(64, 10)
    history = fit(model, train_part, optimizer=Adam(0.01), test=test_part, epochs=2)
    run.save(model, history)
    return run, model, history


def test_a_run_gives_back_its_model_bit_for_bit(trained, test_part):
    run, model, history = trained
    again = load_run(run.folder).model()
    for name, variable in again.variables().items():
        np.testing.assert_array_equal(variable.numpy(), model.variables()[name].numpy())
    found = evaluate(again, test_part)
    last = history.epochs[-1]
    assert (found.loss, found.accuracy) == (last.test_loss, last.test_accuracy)


def test_a_run_knows_its_settings_and_recipe(trained):
    run = load_run(str(trained[0].folder))
    assert run.settings == SETTINGS
    assert run.recipe.name == "mlp"


def test_run_json_has_settings_and_every_epoch(trained):
    run, _, history = trained
    record = json.loads((run.folder / "run.json").read_text())
    assert record["settings"] == SETTINGS
    assert record["interrupted"] is False
    assert [Epoch(**epoch) for epoch in record["epochs"]] == history.epochs


def test_saving_again_replaces_what_was_saved(trained):
    run, model, history = trained
    model.variables()["layers.1.bias"].assign(np.ones(100, np.float32))
    run.save(model, History(history.epochs[:1], interrupted=True))
    again = load_run(run.folder).model().variables()
    np.testing.assert_array_equal(again["layers.1.bias"].numpy(), 1)
    record = json.loads((run.folder / "run.json").read_text())
    assert (len(record["epochs"]), record["interrupted"]) == (1, True)
    assert {path.name for path in run.folder.iterdir()} == {
        "run.json",
        "checkpoint.json",
        "weights.safetensors",
    }


def test_a_run_can_be_saved_before_the_first_epoch(tmp_path):
    with new_run(str(tmp_path), SETTINGS) as run:
        model = run.recipe.build(64, 10)
        run.save(model, History())
    assert load_run(tmp_path).model().variables().keys() == model.variables().keys()


# ---------------------------------------------------------------- new folders


def test_a_folder_that_is_given_is_made_with_its_parents(tmp_path):
    with new_run(str(tmp_path / "a" / "b"), SETTINGS):
        assert (tmp_path / "a" / "b").is_dir()
    assert (tmp_path / "a" / "b").is_dir()


def test_runs_of_one_second_get_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.strftime", lambda form: "20261120-213600")
    folders: list[str] = []
    for _ in range(3):
        with new_run(None, SETTINGS) as run:
            folders.append(str(run.folder))
    first = "runs/digits-mlp-20261120-213600"
    assert folders == [first, f"{first}-2", f"{first}-3"]


def test_a_folder_that_is_not_empty_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("two years of work")
    with (
        pytest.raises(DataError, match=r"isn't empty: choose another --out, or delete it"),
        new_run(str(tmp_path), SETTINGS),
    ):
        pass
    assert (tmp_path / "thesis.tex").read_text() == "two years of work"


def test_a_file_in_the_folder_s_place_is_an_error(tmp_path):
    (tmp_path / "run").write_text("")
    with (
        pytest.raises(DataError, match=r"can't create the run folder .*run: File exists"),
        new_run(str(tmp_path / "run"), SETTINGS),
    ):
        pass


def begin_and_fail(folder, *written):
    with pytest.raises(KeyboardInterrupt), new_run(str(folder), SETTINGS) as run:  # noqa: PT012
        for name in written:
            (run.folder / name).write_text("")
        raise KeyboardInterrupt


def test_a_folder_in_which_nothing_was_written_goes_with_what_failed(tmp_path):
    begin_and_fail(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())
    begin_and_fail(tmp_path)
    assert tmp_path.is_dir(), "it was there before"
    begin_and_fail(tmp_path / "a" / "b", "run.json")
    assert (tmp_path / "a" / "b" / "run.json").exists()


# ---------------------------------------------------------------- broken runs


def test_a_folder_without_run_json_is_no_run(tmp_path):
    with pytest.raises(CheckpointError, match=r"isn't a run folder: it has no run\.json"):
        load_run(tmp_path)
    with pytest.raises(CheckpointError, match="isn't a run folder"):
        load_run(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b"{}",
        b'{"settings": null}',
        b'{"settings": 3}',
        b'{"settings": {"model": "mlp"}}',
    ],
)
def test_a_broken_record_is_an_error(tmp_path, content):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"run\.json is corrupt \(.*\): train again"):
        load_run(tmp_path)


def test_a_run_json_that_is_a_folder_is_an_error(tmp_path):
    (tmp_path / "run.json").mkdir()
    with pytest.raises(CheckpointError, match=r"run\.json can't be read: .*[Dd]irectory"):
        load_run(tmp_path)


def test_a_run_of_an_unknown_model_is_an_error(trained):
    run = Run(trained[0].folder, {**SETTINGS, "model": "transformer"})
    with pytest.raises(DataError, match="unknown model 'transformer'"):
        run.model()


@pytest.mark.parametrize(
    "changed", [{"model": "logistic"}, {"features": 784}, {"classes": 26}], ids=str
)
def test_a_checkpoint_of_another_model_is_an_error(trained, changed):
    folder = trained[0].folder
    record = json.loads((folder / "run.json").read_text())
    record["settings"] |= changed
    (folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match="doesn't fit this model: "):
        load_run(folder).model()


@pytest.mark.parametrize(
    "changed", [{"features": "many"}, {"classes": None}, {"features": 0}, {"model": []}], ids=str
)
def test_settings_that_make_no_sense_are_an_error(trained, changed):
    folder = trained[0].folder
    record = json.loads((folder / "run.json").read_text())
    record["settings"] |= changed
    (folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(pg.errors.PalingradError):
        load_run(folder).model()


def test_missing_weights_are_an_error(trained):
    folder = trained[0].folder
    (folder / "weights.safetensors").unlink()
    with pytest.raises(CheckpointError, match="there is no checkpoint to read"):
        load_run(folder).model()
