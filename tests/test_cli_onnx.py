"""`palingrad export RUN` and `palingrad view FILE.onnx`."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

import palingrad as pg
from palingrad.cli import app, exporting

NEEDED = pytest.mark.skipif(find_spec("onnx") is None, reason="pip install 'palingrad[onnx]'")


def test_without_the_package_a_message_says_what_to_install():
    """And the package isn't imported before it is needed."""
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "import palingrad as pg\n"
        "for call in (lambda: pg.onnx.export(pg.sin, 1.0), lambda: pg.onnx.load('m.onnx')):\n"
        "    try: call()\n"
        "    except pg.errors.ArgumentError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    for line, name in zip(done.stdout.splitlines(), ("export", "load"), strict=True):
        assert line.startswith(f"onnx.{name} needs the package onnx, which isn't installed.")
        assert "pip install 'palingrad[onnx]'" in line


@NEEDED
def test_a_saved_model_is_exported_and_viewed(tmp_path):
    model = pg.models.mlp(4, 3, 2, seed=1)
    x = np.ones((1, 4), np.float32)
    pg.io.save_model(tmp_path / "saved", model, x)
    file, page = tmp_path / "m.onnx", tmp_path / "m.html"
    done = CliRunner().invoke(app, ["export", str(tmp_path / "saved"), "--out", str(file)])
    assert done.exit_code == 0, done.output
    loaded = pg.onnx.load(file)
    assert loaded.inputs[0].shape == (None, 4)
    np.testing.assert_allclose(loaded(x), np.asarray(model(x)), rtol=1e-6)
    done = CliRunner().invoke(app, ["view", str(file), "--no-open", "--out", str(page)])
    assert done.exit_code == 0, done.output
    assert "matmul" in page.read_text().lower()


@NEEDED
@pytest.mark.parametrize("kind", ["images", "text"])
def test_runs_are_exported_for_any_batch(kind, tmp_path, monkeypatch):
    model = {
        "images": pg.models.mlp(9, 4, 3),
        "text": pg.models.gpt(5, context=64, layers=1, heads=2, width=8),
    }[kind]
    settings = {"task": kind, "features": 9} if kind == "text" else {"features": 9}
    run = SimpleNamespace(settings=settings, model=lambda: model)
    (tmp_path / "run.json").write_text("{}")
    monkeypatch.setattr(exporting, "load_run", lambda folder: run)
    file = tmp_path / "m.onnx"
    done = CliRunner().invoke(app, ["export", str(tmp_path), "--out", str(file)])
    assert done.exit_code == 0, done.output
    x = np.zeros((3, 9), np.int64 if kind == "text" else np.float32)
    np.testing.assert_allclose(pg.onnx.load(file)(x), np.asarray(model(x)), rtol=1e-5, atol=1e-6)
