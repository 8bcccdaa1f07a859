"""The command line on texts, tables and folders of images: train, go on, evaluate, predict."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from palingrad import cli, data
from palingrad.io import load_checkpoint

RHYME = "one two three four five, once I caught a fish alive. " * 12


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command line in an empty folder: (exit status, output, errors)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["palingrad", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        output, errors = capsys.readouterr()
        return int(ended.value.code or 0), output, errors

    return command


def test_a_text_is_learnt_resumed_and_continued(run):
    Path("rhyme.txt").write_text(RHYME)
    small = ("--context", 16, "--width", 32, "--batch-size", 4)
    code, output, errors = run(
        "train", "text", "rhyme.txt", "--model", "lstm", *small, "--epochs", 6, "--dropout", 0.1,
        "--learning-rate", 0.02, "--weight-decay", 0.1, "--warmup", 20, "--out", "whole",
    )  # fmt: skip
    assert (code, errors) == (0, "")
    assert "nats a token" in output
    run("train", "text", "rhyme.txt", "--model", "lstm", *small, "--epochs", 4, "--dropout", 0.1,
        "--learning-rate", 0.02, "--weight-decay", 0.1, "--warmup", 20, "--out", "run")  # fmt: skip
    assert run("train", "text", "rhyme.txt", "--resume", "run", "--epochs", 6)[0] == 0
    for name, array in load_checkpoint("whole").arrays.items():
        np.testing.assert_array_equal(load_checkpoint("run").arrays[name], array)
    assert len(json.loads(Path("run/run.json").read_text())["epochs"]) == 6
    code, output, errors = run("predict", "run", "one two ", "--count", 30, "--temperature", 0)
    assert (code, errors) == (0, "")
    assert output.startswith("one two ")
    assert len(output) == len("one two ") + 30 + 1
    code, _, errors = run("predict", "run", "fish Ä")
    assert code == 2
    assert "characters that the model hasn't seen, such as 'Ä'" in errors
    assert "test loss" in run("evaluate", "run")[1]


def test_a_gpt_writes_more_than_its_context(run):
    Path("rhyme.txt").write_text(RHYME)
    run("train", "text", "rhyme.txt", "--tokens", "bytes", "--context", 8, "--layers", 1, "--width",
        16, "--epochs", 1, "--out", "run")  # fmt: skip
    first, again, other = (
        run("predict", "run", "fish", "--count", 40, "--seed", seed)[1] for seed in (1, 1, 2)
    )
    assert first == again != other
    assert first.startswith("fish")


@pytest.mark.parametrize("model", ["mlp", "linear", "fm", "wide-deep", "deepfm"])
def test_a_table_of_two_classes(run, model):
    Path("clicks.csv").write_text(data.synthetic_clicks(1500, seed=1).as_csv())
    code, output, errors = run("train", "csv", "clicks.csv", "--target", "click", "--model", model,
                               "--epochs", 2, "--out", "run")  # fmt: skip
    assert (code, errors) == (0, "")
    assert "5 categories, target click, 2 classes" in output
    assert "auc 0." in output
    code, output, errors = run("predict", "run", "clicks.csv")
    assert (code, errors) == (0, "")
    header, *rows = output.splitlines()
    assert header == "click,probability"
    assert len(rows) == 1500
    assert {row.split(",")[0] for row in rows} <= {"0", "1"}


def test_a_table_of_numbers_and_of_several_classes(run):
    rng = np.random.default_rng(0)
    lines = ["size,colour,price,kind"]
    for _ in range(200):
        size, colour = rng.normal() * 10 + 50, rng.choice(["red", "blue"])
        price = 3 * size + 20 * (colour == "red")
        kind = "abc"[int(np.digitize(size, [45, 55]))]
        lines.append(f"{size},{colour},{price},{kind}")
    lines[5] = "," + lines[5].partition(",")[2]  # a number that is missing
    Path("t.csv").write_text("\n".join(lines))
    code, output, _ = run("train", "csv", "t.csv", "--target", "price", "--epochs", 30,
                          "--batch-size", 8, "--learning-rate", 0.01, "--schedule", "cosine",
                          "--clip", 1, "--out", "price")  # fmt: skip
    assert code == 0
    assert "1 numbers, 2 categories, target price, a number" in output
    assert float(output.partition("r2 ")[2].split()[0].rstrip(",")) > 0.8
    predicted = run("predict", "price", "t.csv")[1].splitlines()
    assert predicted[0] == "price"
    assert abs(float(predicted[1]) - float(lines[1].split(",")[2])) < 40
    code, output, _ = run(
        "train", "csv", "t.csv", "--target", "kind", "--epochs", 40, "--model", "linear",
        "--learning-rate", 0.03, "--patience", 5, "--out", "kind",
    )  # fmt: skip
    assert code == 0
    assert "test accuracy" in output
    assert "a      " in run("evaluate", "kind")[1]


def pictures(folder, size=12):
    rng = np.random.default_rng(0)
    for name in ("stripes", "dots"):
        Path(folder, name).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, 60, (size, size, 3)).astype(np.uint8)
            pixels[:: 4 if name == "dots" else 1, ::4] += 150
            Image.fromarray(pixels).save(Path(folder, name, f"{number}.png"))


def test_a_folder_of_images(run):
    pictures("images")
    code, output, errors = run("train", "image-folder", "images", "--model", "mlp", "--epochs", 15,
                               "--batch-size", 8, "--out", "run")  # fmt: skip
    assert (code, errors) == (0, "")
    assert "20 training and 4 test images, coloured, 12 × 12, of 2 classes" in output
    code, output, errors = run("predict", "run", "images/dots/1.png", "images/stripes/2.png")
    assert (code, errors) == (0, "")
    assert [line.split("\t")[1] for line in output.splitlines()] == ["dots", "stripes"]
    Path("images/dots/9.png").write_text("no image")
    code, _, errors = run("train", "image-folder", "images")
    assert code == 2
    assert "9.png isn't an image that can be read" in errors


def test_runs_are_listed_and_compared(run):
    for model in ("logistic", "perceptron"):
        run("train", "digits", "--model", model, "--epochs", 1, "--out", f"runs/{model}")
    code, output, _ = run("runs")
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()[1:]] == [
        "runs/logistic", "runs/perceptron",
    ]  # fmt: skip
    code, output, _ = run("runs", "runs/logistic", "runs/perceptron")
    assert code == 0
    assert "model" in output
    assert "batch size" not in output  # it is the same
    assert Path("comparison.html").read_text().count("<polyline") == 6
    assert run("runs", "--root", "nowhere")[0] == 2
    Path("other").mkdir()
    Path("runs/logistic").rename("other/perceptron")
    _, output, _ = run("runs", "other/perceptron", "runs/perceptron")
    assert "other/perceptron" in output.splitlines()[0]  # two of one name
    assert "one is given twice" in run("runs", "runs/perceptron", "runs/perceptron")[2]
    Path("clicks.csv").write_text(data.synthetic_clicks(300, seed=1).as_csv())
    for model, rate in (("linear", 0.1), ("fm", 0.01)):
        run("train", "csv", "clicks.csv", "--target", "click", "--model", model, "--epochs", 1,
            "--learning-rate", rate, "--out", f"tables/{model}")  # fmt: skip
    lines = run("runs", "tables/linear", "tables/fm")[1].splitlines()
    assert {line.split("  ")[0] for line in lines[1:-1]} == {
        "model", "learning rate", "loss", "test loss", "auc", "accuracy",
    }  # fmt: skip
    assert "%" in run("runs", "--root", "tables")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "text"], "train text needs a file or folder"),
        (["train", "text", "nowhere.txt"], "nowhere.txt can't be read: No such file"),
        (["train", "digits", "x.txt"], "the data set has no source 'x.txt'"),
        (["train", "digits", "--target", "y"], "--target isn't an option of images"),
        (["train", "digits", "--model", "gpt"], "unknown model 'gpt' for these data"),
        (["train", "csv", "t.csv"], "train csv needs the column to predict"),
        (["train", "csv", "t.csv", "--target", "z"], "has no column 'z'"),
        (["train", "image-folder", "nowhere"], "nowhere isn't a folder"),
        (
            ["train", "digits", "--weight-decay", "0.1"],
            "an option of adamw, not of adam",
        ),
        (["train", "digits", "--dropout", "0.1"], "--dropout isn't an option of images"),
        (["train", "digits", "--clip", "0"], "clip_norm is 0.0; expected a finite number above 0"),
        (
            ["train", "text", "t.csv", "--dropout", "1"],
            "dropout is 1.0; expected a number in [",
        ),
        (["train", "text", "t.csv", "--width", "30"], "don't divide width 30. Write --width 32"),
        (
            ["train", "text", "t.csv", "--context", "99999"],
            "too few for a batch of 16 windows",
        ),
        (["predict", "nowhere"], "nowhere isn't a run folder"),
    ],
)
def test_a_mistake_is_answered_in_one_line(run, arguments, message):
    Path("t.csv").write_text("x,y\n" + "1,2\n" * 20)
    code, _, errors = run(*arguments)
    assert code == 2
    assert message in errors.replace("\n", " ")
    assert errors.startswith("error: ")
    assert not Path("runs").exists()
