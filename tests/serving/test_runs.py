"""Run folders are served: images, tables and texts, with the answers of `palingrad predict`."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from asking import Client
from palingrad import cli, data
from palingrad.serving import application
from palingrad.train.runs import load_run
from palingrad.train.tasks import text

RHYME = "one two three four five, once I caught a fish alive. " * 12


@pytest.fixture
def trained(tmp_path, monkeypatch, capsys):
    """Trains with these arguments, and returns a client of the run folder."""
    monkeypatch.chdir(tmp_path)

    def train(*arguments):
        monkeypatch.setattr(sys, "argv", ["palingrad", "train", *arguments, "--out", "run"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code, capsys.readouterr()
        return Client(application("run"))

    return train


def test_digits_are_recognized(trained):
    client = trained("digits", "--epochs", "5")
    signature = client.get("/signature").json()
    assert (signature["kind"], signature["image"][0]) == ("image", 1)
    assert signature["classes"] == list("0123456789")
    test = data.load("digits").test
    answer = client.post("/predict", json={"x": test.inputs[:50].tolist()}).json()
    right = np.array(answer["class"]) == np.array(signature["classes"])[test.labels[:50]]
    assert right.mean() > 0.8
    np.testing.assert_allclose(np.sum(answer["probabilities"], axis=1), 1, rtol=1e-5)
    assert np.shape(answer["scores"]) == (50, 10)


def test_rows_of_a_table_are_predicted(trained, tmp_path):
    rng = np.random.default_rng(0)
    with open("t.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["age", "city", "bought"])
        for _ in range(200):
            age, city = rng.integers(10, 90), rng.choice(["Rome", "Oslo"])
            writer.writerow([age, city, "yes" if (age > 50) == (city == "Oslo") else "no"])
    client = trained("csv", "t.csv", "--target", "bought", "--epochs", "2")
    signature = client.get("/signature").json()
    assert signature["columns"] == {"age": "number", "city": "category"}
    rows = [{"age": 70, "city": "Oslo"}, {"age": "20", "city": "Nowhere"}]
    found = client.post("/predict", json={"rows": rows}).json()["rows"]
    assert [set(one) for one in found] == [{"bought", "probability"}] * 2
    for bad, message in [
        ({"rows": []}, "no list of objects"),
        ({"rows": [{"age": 1}]}, "rows[0].city is missing"),
        ({"rows": [{"age": "x", "city": "Oslo"}]}, "rows[0].age is 'x', expected a number"),
        ({"rows": [{"age": 1, "city": "Oslo", "z": 1}]}, "unknown columns: z"),
    ]:
        answer = client.post("/predict", json=bad)
        assert answer.status_code == 422
        assert message in answer.json()["error"]["message"]


def test_a_text_goes_on(trained):
    Path("rhyme.txt").write_text(RHYME)
    client = trained("text", "rhyme.txt", "--model", "lstm", "--context", "16", "--width", "16",
                     "--epochs", "1")  # fmt: skip
    asked = {"prompt": "one two ", "count": 12, "temperature": 0.7, "top_k": 5, "seed": 3}
    answer = client.post("/generate", json=asked).json()
    run = load_run("run")
    del asked["prompt"]
    assert answer["text"] == text.continued(run.model(), run.settings, "one two ", **asked)
    for bad, message in [
        ({"prompt": 3}, "prompt is int, expected string"),
        ({"count": 0}, "count is 0, expected 1 to 10000"),
        ({"temperature": True}, "temperature is bool"),
        ({"prompt": "Ä"}, "hasn't seen, such as 'Ä'"),
        ({"promt": "a"}, "unknown: promt"),
    ]:
        answer = client.post("/predict", json=bad)
        assert answer.status_code == 422
        assert message in answer.json()["error"]["message"]
