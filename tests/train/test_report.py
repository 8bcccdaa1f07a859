"""The report of a training: curves, confusion matrix, misclassified images, the trained graph."""

from __future__ import annotations

import base64
import re
import struct
import sys
import zlib
from html import unescape

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

import palingrad as pg
from palingrad import cli
from palingrad.data import load, synthetic_clicks
from palingrad.errors import DataError
from palingrad.train import recipe
from palingrad.train.history import Epoch, History
from palingrad.train.metric_sections import Decisions, decided
from palingrad.train.report import reported, write_report
from palingrad.train.runs import new_run
from palingrad.view.training.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Series,
    curves,
    ticks,
)
from palingrad.view.training.document import document, grey_png


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of three epochs on the digits, and what the command printed."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    arguments = ["palingrad", "train", "digits", "--epochs", "3", "--out", str(folder)]
    patch = pytest.MonkeyPatch()
    patch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    patch.undo()
    assert not ended.value.code
    return folder, (folder / "report.html").read_text()


def test_the_report_says_what_the_run_was(report):
    folder, text = report
    run = pg.train.load_run(folder)
    for value in (*run.settings.values(), "8,730", "1,437 training examples, 360 test examples"):
        assert str(value) in text
    import json

    last = json.loads((folder / "run.json").read_text())["epochs"][-1]
    assert f"<b>{last['test_accuracy']:.2%}</b>" in text
    # Loss and accuracy, train and test; ROC, precision and calibration, and what chance would give.
    assert text.count("<polyline") == 4 + 6
    for what in ("loss", "accuracy"):
        chart = re.search(f"<title>{what} by epoch</title>.*?</svg>", text)[0]
        assert chart.count("<circle") == 6
    assert "Stopped" not in text


def test_nothing_in_it_is_fetched(report):
    _, text = report
    used = re.findall(r"""\b(?:src|href)=["']([^"']+)|\burl\(([^)]+)\)|@import""", unescape(text))
    assert used
    assert {re.split("[:,#]", a or b)[0] for a, b in used} <= {"data", "", "${"}
    assert len(text) < 2_000_000


def test_the_confusion_matrix_counts_every_example(report):
    folder, text = report
    data, model = load("digits"), pg.train.load_run(folder).model()
    predictions = pg.train.evaluate(model, (data.test.inputs, data.test.labels)).predictions
    cells = re.findall(r'title="(\w+) classified as (\w+): (\d+) of (\d+)"', text)
    assert len(cells) == 100
    shown = np.array([int(count) for _, _, count, _ in cells]).reshape(10, 10)
    wanted = sk.confusion_matrix(data.test.labels, predictions, labels=range(10))
    np.testing.assert_array_equal(shown, wanted)
    assert shown.sum() == 360
    wrong = int((predictions != data.test.labels).sum())
    assert text.count("<figure>") == min(wrong, 48)
    assert f"{wrong} of 360 images" in text


def curve_of(text, title):
    """The points of the first curve of a chart whose axes run from 0 to 1."""
    chart = re.search(f"<title>{title}</title>.*?</svg>", text)[0]
    points = re.search(r'points="([^"]*)"', chart)[1].split()
    x, y = np.array([point.split(",") for point in points], float).T
    return (x - LEFT) / (WIDTH - RIGHT - LEFT), (HEIGHT - BOTTOM - y) / (HEIGHT - BOTTOM - TOP)


def decisions_of(scores, labels, names):
    decisions = Decisions()
    for rows in np.array_split(np.arange(len(labels)), 3):
        decisions.add(scores[rows], labels[rows])
    return decided(names, decisions), decisions


@pytest.mark.parametrize("classes", [2, 4])
def test_curves_of_a_classifier_are_scikit_learn_s(classes):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, 200)
    scores = rng.normal(size=(200, classes)) + 1.5 * np.eye(classes)[labels]
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    one_hot = np.eye(classes)[labels]
    text, _ = decisions_of(scores, labels, "abcd"[:classes])
    flat = (labels, shares[:, 1]) if classes == 2 else (one_hot.ravel(), shares.ravel())
    if classes == 2:  # logits are the same decisions
        assert decisions_of(scores[:, 1] - scores[:, 0], labels.astype(np.float32), "ab")[0] == text
    x, y, _ = sk.roc_curve(*flat, drop_intermediate=False)
    found_x, found_y = curve_of(text, "true positive rate by false positive rate")
    if classes == 2:
        np.testing.assert_allclose([found_x, found_y], [x, y], atol=3e-4)
    else:  # every third point, of more than can be seen
        assert len(found_x) == 300
        wanted = np.stack([x, y], axis=1)
        distance = np.abs(wanted[:, None] - np.stack([found_x, found_y], axis=1)).max(-1)
        assert distance.min(axis=0).max() < 3e-4
        assert distance.min(axis=1).max() < 0.01
    for name, score in [("area", sk.roc_auc_score),
                        ("average precision", sk.average_precision_score)]:  # fmt: skip
        told = float(re.search(f"{name} ([0-9.]+)", text)[1].rstrip("."))
        assert told == pytest.approx(score(*flat), abs=1e-4)
    y, x, _ = sk.precision_recall_curve(*flat)
    found_x, found_y = curve_of(text, "precision by recall")
    if classes == 2:
        np.testing.assert_allclose([found_x, found_y], [x[-2::-1], y[-2::-1]], atol=3e-4)
    right = shares.argmax(axis=1) == labels
    y, x = calibration_curve(right, shares.max(axis=1), n_bins=10)
    np.testing.assert_allclose(curve_of(text, "accuracy by confidence"), [x, y], atol=3e-4)


def test_a_model_that_diverged_has_no_curves():
    labels = np.array([0, 1, 1, 0])
    text, decisions = decisions_of(np.array([0.5, np.nan, 1.0, 2.0]), labels, "ab")
    assert text == ""
    assert not decisions.finite


def test_a_table_of_two_classes_has_curves_and_its_metrics_by_epoch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(synthetic_clicks(400, seed=1).as_csv())
    arguments = ["train", "csv", "t.csv", "--target", "click", "--epochs", "2", "--out", "run",
                 "--model", "linear"]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["palingrad", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    text = (tmp_path / "run" / "report.html").read_text()
    for title in ("Confusion matrix", "ROC", "Precision and recall", "Calibration", "auc"):
        assert f"<h2>{title}</h2>" in text
    assert "<title>auc by epoch</title>" in text
    area = re.search(r"<dt>auc</dt><dd>([0-9.]+)", text)[1]
    assert f"area {area}" in text  # that of the epochs, computed apart


def test_a_picture_is_a_png_of_the_same_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7)).astype(np.uint8)
    content = base64.b64decode(grey_png(pixels).removeprefix("data:image/png;base64,"))
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">2I", content[16:24]) == (7, 5)
    start = content.index(b"IDAT") + 4
    size = struct.unpack(">I", content[start - 8 : start - 4])[0]
    rows = np.frombuffer(zlib.decompress(content[start : start + size]), np.uint8).reshape(5, 8)
    np.testing.assert_array_equal(255 - rows[:, 1:], pixels)


def test_the_graph_is_the_trained_networks(report):
    _, text = report
    (inside,) = re.findall(r'srcdoc="([^"]*)"', text)
    page = unescape(inside)
    assert page.startswith("<!doctype html>")
    assert "mlp on one image" in page
    assert page.count('"matmul"') >= 3


def test_training_that_fails_or_is_stopped_leaves_a_report_too(tmp_path):
    data = load("digits")
    chosen = recipe("logistic")
    settings = {"dataset": "digits", "model": "logistic", "features": 64, "classes": 10}
    with new_run(str(tmp_path / "run"), settings) as run:
        model = chosen.build(64, 10)
    epoch = Epoch(1, 2.0, 0.3, 2.1, 0.25, 0.5)

    def fails():
        with reported(run, model, data) as on_epoch:
            on_epoch(History([epoch]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    text = (run.folder / "report.html").read_text()
    assert "Stopped by Ctrl-C" in text
    assert "<dt>interrupted</dt>" in text


def test_before_the_first_epoch_there_is_nothing_to_report(tmp_path):
    with new_run(str(tmp_path / "run"), {"model": "logistic"}) as run:
        pass

    def fails():
        with reported(run, recipe("logistic").build(64, 10), load("digits")):
            raise DataError("broken")

    with pytest.raises(DataError, match="broken"):
        fails()
    assert not list(run.folder.iterdir())


def test_a_network_without_mistakes_has_none_to_show(tmp_path, monkeypatch):
    data = load("digits")

    class Oracle(pg.nn.Module):
        def forward(self, x, *, training):
            known = {row.tobytes(): label for row, label in zip(data.test.inputs, data.test.labels)}
            if getattr(x, "value", None) is None:
                return pg.matmul(x, np.zeros((64, 10), np.float32))
            return pg.tensor(np.eye(10, dtype=np.float32)[[known[r.tobytes()] for r in x.numpy()]])

    settings = {"dataset": "digits", "model": "mlp", "features": 64, "classes": 10}
    with new_run(str(tmp_path / "run"), settings) as run:
        pass
    found = pg.train.Evaluation(0.0, 1.0, data.test.labels)
    monkeypatch.setattr("palingrad.train.report.Evaluator", lambda *_, **__: lambda *_: found)
    path = write_report(run, Oracle(), History([Epoch(1, 0.1, 1.0, None, None, 1.0)]), data)
    text = path.read_text()
    assert "every test image is classified correctly" in text
    assert text.count("<polyline") == 2  # no test part in the history


# ---------------------------------------------------------------- curves


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.02, 2.31), (-5, 3), (1e-9, 4e-9), (7, 7), (0, 0), (1, 12)]
)
def test_ticks_are_round_and_enclose_the_numbers(low, high):
    found = ticks(low, high)
    assert found[0] <= low <= high <= found[-1]
    assert 2 <= len(found) <= 9
    steps = np.diff(found)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-6)  # they are differences: digits cancel


def test_shares_end_at_one():
    assert ticks(0.2, 0.97, most=1.0)[-1] == 1


def test_a_curve_skips_what_is_not_finite_and_escapes_names():
    text = curves([Series("a<b", [1, 2, 3], [1.0, float("nan"), 3.0], "train")],
                  title="t", x_label="x")  # fmt: skip
    assert text.count("<circle") == 2
    assert "a&lt;b" in text
    assert curves([Series("a", [1], [float("nan")], "train")], title="t", x_label="x") == ""


def test_a_document_is_whole_and_its_title_escaped():
    text = document("1 < 2", "<p>", script="go()")
    assert text.startswith("<!doctype html>")
    assert "<title>1 &lt; 2</title>" in text
    assert "prefers-color-scheme: dark" in text
