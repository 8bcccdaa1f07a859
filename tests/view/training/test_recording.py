"""fit(record=…): what is recorded of a training's steps, the page and the event files."""

from __future__ import annotations

import importlib.util
import json
import re

import numpy as np
import pytest

import palingrad as pg
from palingrad import nn
from palingrad.errors import DataError, EngineError, TapeError
from palingrad.train import fit
from palingrad.view.recording.retention import summary_of
from palingrad.view.training.recording import Recording
from tolerances import near

rng = np.random.default_rng(1)
DATA = rng.normal(size=(96, 8)).astype(np.float32), rng.integers(0, 3, 96)


def network():
    return nn.Sequential(nn.Linear(8, 6, seed=1), pg.relu, nn.Linear(6, 3, seed=2))


def trained(record, *, epochs=2, rate=0.05, model=None):
    model = model or network()
    fit(model, DATA, optimizer=pg.optim.GradientDescent(rate), epochs=epochs, batch_size=16,
        test=DATA, record=record)  # fmt: skip
    return model


def test_parameters_gradients_and_activations_are_kept_at_each_recorded_step():
    recording = Recording(every=3)
    model = trained(recording)
    assert recording.steps == [1, 4, 7, 10]
    assert len(recording.losses) == 12
    assert [step for step, _ in recording.epochs] == [6, 12]
    names = set(model.parameters())
    assert set(recording.tracks["parameters"]) == names
    assert set(recording.tracks["gradients"]) == names
    assert set(recording.tracks["activations"]) == {"Linear_0", "relu", "Linear_2"}
    first = recording.tracks["parameters"]["layers.0.weight"].seen[1]
    start = network().parameters()["layers.0.weight"].numpy()
    assert first.digest == summary_of(start).digest  # before the step's update
    assert recording.tracks["activations"]["relu"].shape == (16, 6)
    assert recording.tracks["activations"]["relu"].seen[1].low == 0


def test_the_gradient_kept_is_the_one_that_the_step_took():
    recording = Recording(every=1)
    before = network()
    trained(recording, epochs=1, rate=0.5)
    from palingrad.data.batching import batches

    x, y = next(iter(batches(DATA, 16, seed=0, epoch=1)))
    loss = pg.cross_entropy(before(pg.tensor(x), training=True), y)
    for name, variable in before.parameters().items():
        g = pg.gradients(loss, variable).numpy()
        kept = recording.tracks["gradients"][name].seen[1]
        # Compiled in float32, where the expected one is computed at once.
        found = [kept.low, kept.high, kept.norm]
        assert found == near([g.min(), g.max(), np.linalg.norm(g)], np.float32)


def test_the_gradient_of_a_shared_weight_is_the_sum():
    class Twice(nn.Module):
        def __init__(self):
            self.weight = pg.Variable(np.eye(8, 3), dtype=pg.float32)

        def forward(self, x, *, training):
            return pg.matmul(x, self.weight) + pg.matmul(pg.tanh(x), self.weight)

    recording = Recording(every=1)
    fit(Twice(), (DATA[0][:16], DATA[1][:16]), optimizer=pg.optim.Adam(), epochs=1, batch_size=16,
        record=recording)  # fmt: skip
    model = Twice()
    loss = pg.cross_entropy(model(pg.tensor(DATA[0][:16]), training=True), DATA[1][:16])
    g = pg.gradients(loss, model.weight).numpy()
    kept = recording.tracks["gradients"]["weight"].seen[1]
    assert kept.norm == near(np.linalg.norm(g), np.float32)  # the training is compiled


def test_recording_does_not_change_the_training():
    plain, recorded = trained(None), trained(Recording(every=2))
    for a, b in zip(plain.variables().values(), recorded.variables().values(), strict=True):
        assert a.numpy().tobytes() == b.numpy().tobytes()


def test_by_default_about_120_steps_are_recorded():
    recording = Recording()
    trained(recording, epochs=50)
    assert 100 <= len(recording.steps) <= 120
    with pytest.raises(TapeError, match="every must be at least 1"):
        trained(Recording(every=0))


def test_a_path_makes_a_page_with_all_of_it(tmp_path):
    trained(tmp_path / "new" / "steps.html")
    text = (tmp_path / "new" / "steps.html").read_text()
    found = re.search(r"^const data = (.*);$", text, re.MULTILINE)
    assert found is not None
    data = json.loads(found[1])
    assert data["total"] == 12
    assert data["steps"] == list(range(1, 13))
    assert {name: len(tracks) for name, tracks in data["groups"].items()} == {
        "parameters": 4, "gradients": 4, "activations": 3
    }  # fmt: skip
    track = data["groups"]["parameters"][0]
    assert all(sum(counts) == 48 for counts in track["counts"])
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text)


def test_a_training_that_fails_leaves_its_page(tmp_path):
    with pytest.raises(DataError, match="learning rate"):
        trained(tmp_path / "steps.html", rate=1e30)
    text = (tmp_path / "steps.html").read_text()
    assert "NaN" not in re.findall(r"^const data = (.*);$", text, re.MULTILINE)[0]


def test_event_files_hold_scalars_and_histograms(tmp_path):
    from tensorboardX.proto import event_pb2

    trained(Recording(every=4, tensorboard=tmp_path))
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    tags: dict[str, list[int]] = {}
    place = 0
    while place < len(content):
        size = int.from_bytes(content[place : place + 8], "little")
        event = event_pb2.Event.FromString(content[place + 12 : place + 12 + size])
        place += 16 + size
        for value in event.summary.value:
            tags.setdefault(value.tag, []).append(event.step)
            if value.HasField("histo"):
                assert value.histo.num == sum(value.histo.bucket)
    assert tags["loss"] == list(range(1, 13))
    assert tags["test_accuracy"] == [6, 12]
    assert tags["gradients/layers.0.weight"] == [1, 5, 9]
    assert "activations/relu" in tags


def test_without_tensorboardx_the_error_says_what_to_install(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *_: None if name == "tensorboardX" else find(name)
    )
    with pytest.raises(EngineError, match=r"palingrad\[tensorboard\]"):
        trained(Recording(tensorboard=tmp_path))
