"""The command line trains, evaluates and informs, and answers mistakes in one line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import pytest

import palingrad as pg
from palingrad import cli, data
from palingrad.cli.app import console
from palingrad.io import load_checkpoint
from palingrad.optim import Momentum
from palingrad.train import fit, recipe, recipe_names
from palingrad.train.recipes import OPTIMIZERS
from palingrad.train.tasks import TASKS

COMMAND = [sys.executable, "-m", "palingrad.cli"]
SHARED = Path(os.environ.get("PALINGRAD_DATA") or Path(__file__).parents[2] / "shared" / "data")


class Outcome(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    output: str
    errors: str

    @property
    def accuracy(self) -> float:
        """The test accuracy that was printed, in percent."""
        return float(re.findall(r"^test accuracy (\d+\.\d\d)%$", self.output, re.M)[-1])

    def text(self) -> str:
        """Output and errors without line breaks and boxes."""
        return " ".join(re.sub(r"[│╭╮╰╯─]", " ", self.output + self.errors).split())


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, and no data from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("PALINGRAD_DATA", raising=False)
    return tmp_path


@pytest.fixture
def palingrad(here, monkeypatch, capsys):
    """Runs a command line in this process."""

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["palingrad", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        output, errors = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), output, errors)

    return run


# ---------------------------------------------------------------- train


def test_train_digits_reaches_95_percent_and_prints_it(here):
    """As users run it: in a process of its own, with nothing but the data set's name."""
    ended = subprocess.run([*COMMAND, "train", "digits"], capture_output=True, text=True)
    found = Outcome(ended.returncode, ended.stdout, ended.stderr)
    assert (found.code, found.errors) == (0, "")
    assert found.accuracy >= 95
    assert "digits: 1,437 training examples, 360 test examples" in found.output
    assert "mlp, adam, learning rate 0.001, batch size 64, " in found.output
    assert len(re.findall(r"^epoch +\d+  loss ", found.output, re.M)) == 50
    (folder,) = (here / "runs").iterdir()
    assert re.fullmatch(r"digits-mlp-\d{8}-\d{6}", folder.name)
    assert f"run folder runs/{folder.name}\n" in found.output


def test_the_command_is_installed():
    (script,) = entry_points(group="console_scripts", name="palingrad")
    assert script.load() is cli.main


@pytest.mark.parametrize(
    ("model", "epochs", "least"),
    [("logistic", 20, 80), ("perceptron", 20, 80), ("cnn", 2, 80)],
)
def test_every_other_model_learns(palingrad, model, epochs, least):
    found = palingrad("train", "digits", "--model", model, "--epochs", epochs)
    assert found.code == 0
    assert found.accuracy >= least


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_runs(palingrad, optimizer):
    found = palingrad("train", "digits", "--optimizer", optimizer, "--epochs", 1, "--out", "run")
    assert found.code == 0
    assert f"mlp, {optimizer}, learning rate 0.001, " in found.output
    record = json.loads(Path("run/run.json").read_text())
    assert record["settings"]["optimizer"] == optimizer
    assert np.isfinite(record["epochs"][0]["loss"])


def test_options_are_used_and_written_down(palingrad):
    palingrad(
        *("train", "digits", "--model", "logistic", "--epochs", "2", "--batch-size", "100"),
        *("--learning-rate", "0.05", "--optimizer", "momentum", "--engine", "numpy"),
        *("--seed", "7", "--out", "run"),
    )
    record = json.loads(Path("run/run.json").read_text())
    assert record["settings"] == {
        "dataset": "digits",
        "model": "logistic",
        "features": 64,
        "classes": 10,
        "epochs": 2,
        "batch_size": 100,
        "optimizer": "momentum",
        "learning_rate": 0.05,
        "seed": 7,
        "engine": "numpy",
        "version": pg.__version__,
    }
    assert [epoch["number"] for epoch in record["epochs"]] == [1, 2]


@pytest.mark.parametrize("seed", [3, 4])
def test_train_does_what_the_library_does(palingrad, seed):
    """The same options in Python give the same weights, bit for bit."""
    palingrad(
        *("train", "digits", "--model", "logistic", "--epochs", 2, "--batch-size", 100),
        *("--learning-rate", 0.05, "--optimizer", "momentum", "--seed", seed, "--out", "run"),
    )
    digits = data.load("digits")
    pg.set_seed(seed)
    model = recipe("logistic").build(64, 10)
    fit(
        model,
        (digits.train.inputs, digits.train.labels),
        optimizer=Momentum(0.05),
        epochs=2,
        batch_size=100,
        seed=seed,
    )
    saved = load_checkpoint("run").arrays
    for name, variable in model.variables().items():
        np.testing.assert_array_equal(saved[name], variable.numpy())


def test_a_folder_s_name_is_printed_as_it_is(palingrad):
    found = palingrad("train", "digits", "--epochs", 1, "--out", "[bold] run")
    assert "run folder [bold] run\n" in found.output


def test_a_second_training_takes_another_folder(palingrad, here):
    for _ in range(2):
        assert palingrad("train", "digits", "--epochs", 1).code == 0
    assert len(list((here / "runs").iterdir())) == 2


def test_ctrl_c_saves_what_was_learnt(here):
    process = subprocess.Popen(
        [*COMMAND, "train", "digits", "--epochs", "100000", "--out", "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        try:
            while not process.stdout.readline().startswith("epoch   3"):
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")
    assert "stopped by Ctrl-C; the trained parameters are saved" in output
    record = json.loads((here / "run" / "run.json").read_text())
    assert record["interrupted"]
    shown = Outcome(0, output, "").accuracy
    assert shown == pytest.approx(100 * record["epochs"][-1]["test_accuracy"], abs=0.006)


if (SHARED / "mnist").is_dir():  # only where MNIST is: in PALINGRAD_DATA, else ../shared/data

    def test_one_epoch_of_mnist_gives_94_percent(palingrad, monkeypatch):
        """Of the data in the folder that `--data` names, or else PALINGRAD_DATA."""
        found = palingrad("train", "mnist", "--epochs", 1, "--out", "run", "--data", str(SHARED))
        assert found.code == 0
        assert "mnist: 60,000 training examples, 10,000 test examples" in found.output
        assert found.accuracy >= 94
        monkeypatch.setenv("PALINGRAD_DATA", str(SHARED))
        assert palingrad("evaluate", "run").accuracy == found.accuracy


# ---------------------------------------------------------------- evaluate and info


@pytest.mark.parametrize("model", ["mlp", "perceptron"])  # their losses differ
def test_evaluate_prints_the_accuracy_that_train_printed(palingrad, model):
    trained = palingrad("train", "digits", "--model", model, "--epochs", 5, "--out", "run")
    found = palingrad("evaluate", "run")
    assert found.code == 0
    assert found.accuracy == trained.accuracy
    loss = re.findall(r"test (\d\.\d{4}) ", trained.output)[-1]
    assert f"test loss {loss}" in found.output


def test_evaluate_prints_a_line_for_each_class(palingrad):
    palingrad("train", "digits", "--epochs", 5, "--out", "run")
    found = palingrad("evaluate", "run")
    rows = re.findall(r"^(\d) +(\d+) +(\d+\.\d)% *$", found.output, re.M)
    assert [name for name, _, _ in rows] == list("0123456789")
    assert sum(int(count) for _, count, _ in rows) == 360
    right = sum(round(int(count) * float(share) / 100) for _, count, share in rows)
    assert found.accuracy == pytest.approx(100 * right / 360, abs=0.006)


def test_info_shows_versions_engines_and_data_sets(palingrad):
    found = palingrad("info")
    assert found.code == 0
    words = [pg.__version__, np.__version__, *pg.engine_names(), *data.names()]
    assert [word for word in words if word not in found.output] == []


def test_info_counts_what_is_kept_on_disk(palingrad, here, monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", str(here / "[a] cache"))
    monkeypatch.setattr(console, "width", 300)
    expected = f"entries: 0 of programs, 0 of kernels, 0.0 MB in {here / '[a] cache'}"
    assert expected in palingrad("info").output


def test_version(palingrad):
    assert palingrad("--version")[:2] == (0, f"palingrad {pg.__version__}\n")
    assert "--version" in palingrad("--help").output


def test_help_names_the_commands(palingrad):
    found = palingrad("--help")
    assert found.code == 0
    assert all(command in found.output for command in ("train", "evaluate", "info"))


# ---------------------------------------------------------------- the tables agree


def test_the_choices_offered_are_those_there_are():
    assert get_args(cli.DatasetName) == (
        *data.names(),
        *(name for name in TASKS if name != "images"),
    )
    models = dict.fromkeys(name for task in TASKS.values() for name in task.models)
    assert set(get_args(cli.ModelName)) == set(models)
    assert get_args(cli.ModelName)[: len(recipe_names())] == tuple(recipe_names())
    assert get_args(cli.OptimizerName) == tuple(OPTIMIZERS)


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "cifar"], "'cifar' is not one of 'digits', 'mnist', 'fashion-mnist'"),
        (["train", "digits", "--model", "vgg"], "'vgg' is not one of 'mlp', "),
        (["train", "digits", "--optimizer", "lion"], "'lion' is not one of 'adam', "),
        (["train", "digits", "--epochs", "0"], "Invalid value for '--epochs'"),
        (["train", "digits", "--epochs", "many"], "Invalid value for '--epochs'"),
        (["train", "digits", "--batch-size", "-1"], "Invalid value for '--batch-size'"),
        (["train", "digits", "--seed", "-1"], "Invalid value for '--seed'"),
        (["train"], "Missing argument"),
        (["evaluate"], "Missing argument"),
        (["trian"], "No such command 'trian'"),
    ],
    ids=" ".join,
)
def test_a_wrong_choice_is_answered_with_those_there_are(palingrad, here, arguments, message):
    found = palingrad(*arguments)
    assert found.code == 2
    assert message in found.text()
    assert "Traceback" not in found.text()
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "mnist", "--data", "nowhere"], "nowhere, the given folder, isn't a"),
        (["train", "mnist", "--data", "."], ". doesn't contain MNIST"),
        (["train", "digits", "--engine", "warp"], "'warp'"),
        (["train", "digits", "--out", "full"], "the run folder full isn't empty"),
        (["train", "digits", "--out", "full/file"], "can't create the run folder full/file"),
        (["train", "digits", "--optimizer", "sgd", "--learning-rate", "1e30"], "the loss became"),
        (["train", "digits", "--sharding", "tensor"], "sharding and deterministic are for a mesh"),
        (["train", "digits", "--deterministic", "--out", "a/b"], "deterministic are for a mesh"),
        (["train", "text", "full/file", "--width", "3"], "too short"),
        (["evaluate", "nowhere"], "nowhere isn't a run folder: it has no run.json"),
        (["evaluate", "full"], "full isn't a run folder: it has no run.json"),
        (["evaluate", "[/red]"], "[/red] isn't a run folder"),
        (["evaluate", "broken"], "broken/run.json is corrupt"),
        (["evaluate", "unknown"], "unknown model 'gpt'"),
        (["evaluate", "empty"], "there is no checkpoint to read"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_answered_in_one_line(palingrad, here, arguments, message):
    settings = {"dataset": "digits", "model": "mlp", "features": 64, "classes": 10}
    records = {
        "broken": "{",
        "empty": json.dumps({"settings": settings}),
        "unknown": json.dumps({"settings": {**settings, "model": "gpt"}}),
    }
    for folder, record in records.items():
        (here / folder).mkdir()
        (here / folder / "run.json").write_text(record)
    (here / "full").mkdir()
    (here / "full" / "file").write_text("mine")

    found = palingrad(*arguments)
    assert found.code == 2
    assert found.errors.startswith("error: ")
    assert found.errors.count("\n") == 1
    assert message in found.errors
    assert (here / "full" / "file").read_text() == "mine"
    assert {one.name for one in here.iterdir()} == {"full", *records}, "a folder is left behind"


def test_a_folder_that_palingrad_data_names_must_exist(palingrad, monkeypatch):
    monkeypatch.setenv("PALINGRAD_DATA", "nowhere")
    found = palingrad("train", "mnist")
    assert found.code == 2
    assert found.errors.startswith("error: nowhere, PALINGRAD_DATA, isn't a folder.")
    assert found.errors.count("\n") == 1


def test_errors_go_to_standard_error_without_a_traceback(here):
    ended = subprocess.run([*COMMAND, "evaluate", "nowhere"], capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("error: nowhere isn't a run folder")
    assert "Traceback" not in ended.stderr


# ---------------------------------------------------------------- translate

GRAPH = """import palingrad as pg
with pg.Graph():
    x = pg.Placeholder((2,), dtype="float64", name="x")
    y = pg.sum(pg.exp(x) * 2.0)
noise = pg.random.normal((2,))
large = pg.tensor(range(3000)) * 2
"""


def test_translate_writes_code_that_runs(palingrad, here):
    (here / "model.py").write_text(GRAPH)
    expected = float(np.sum(np.exp([0.5, 1.0]) * 2.0))
    for style in ("session", "eager", "function"):
        printed = palingrad("translate", "model.py:y", "--to", style)
        assert (printed.code, printed.errors) == (0, "")
        space: dict[str, object] = {}
        exec(printed.output, space)
        assert float(space["y"](np.array([0.5, 1.0]))) == expected  # type: ignore[operator]
        found = palingrad("translate", "model.py:y", "--to", style, "--out", "other.py")
        assert found.output == "other.py\n"
        assert (here / "other.py").read_text() == printed.output


def test_translate_names_what_it_can_t_write(palingrad, here):
    (here / "model.py").write_text(GRAPH)
    found = palingrad("translate", "model.py:noise", "--to", "eager")
    assert found.code == 2
    assert "draws random numbers" in found.text()
    found = palingrad("translate", "model.py:large", "--to", "eager")
    assert found.code == 2
    assert "--out FILE.py" in found.text()
    assert "--to" in palingrad("translate", "model.py").text()
    assert palingrad("translate", "model.py:y", "--to", "jax").code == 2
