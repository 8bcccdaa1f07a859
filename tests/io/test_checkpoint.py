"""Checkpoints: what is saved comes back, interrupted saves harm nothing, broken files are named."""

from __future__ import annotations

import json
import math
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save

import palingrad as pg
from palingrad.errors import CheckpointError
from palingrad.files import atomic
from palingrad.graph.leaves import assign_all, sealed
from palingrad.io import load_checkpoint, save_checkpoint

NAMES = ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]
DTYPES = st.sampled_from([*NAMES, "float16", "float32", "float64", ">f4", ">i8"]).map(np.dtype)
ARRAYS = hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))


@given(
    arrays=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), ARRAYS, max_size=4)
)
def test_arrays_of_any_dtype_and_shape_come_back(arrays, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    loaded = load_checkpoint(save_checkpoint(folder, arrays)).arrays
    assert set(loaded) == set(arrays)
    for name, array in arrays.items():
        native = array.astype(array.dtype.newbyteorder("="))
        np.testing.assert_array_equal(loaded[name], native, strict=True)
        assert not loaded[name].flags.writeable


def test_arrays_that_are_views_are_saved_as_they_look(tmp_path: Path):
    x = np.arange(12.0).reshape(3, 4)
    views = {"turned": x.T, "every second": x[::2, ::2], "backwards": x[::-1], "one": x[1, 2]}
    loaded = load_checkpoint(save_checkpoint(tmp_path, views)).arrays
    for name, view in views.items():
        np.testing.assert_array_equal(loaded[name], view)


def test_variables_and_nodes_are_saved_by_value(tmp_path: Path):
    w = pg.Variable([1.0, 2.0])
    loaded = load_checkpoint(save_checkpoint(tmp_path, {"w": w, "double": w * 2})).arrays
    np.testing.assert_array_equal(loaded["w"], np.array([1, 2], np.float32), strict=True)
    np.testing.assert_array_equal(loaded["double"], np.array([2, 4], np.float32), strict=True)


def test_variables_of_a_graph_are_saved_while_it_is_open(tmp_path: Path):
    with pg.Graph():
        w = pg.Variable([1.0, 2.0])
        loaded = load_checkpoint(save_checkpoint(tmp_path, {"w": w})).arrays
    np.testing.assert_array_equal(loaded["w"], [1, 2])


def test_meta_data_come_back_as_json_has_them(tmp_path: Path):
    meta = {
        "model": {"layers": (64, 10), "name": "Größe"},
        "accuracy": np.float32(0.5),
        "epoch": np.int64(3),
        "loss": math.nan,
        "best": None,
        7: True,
    }
    loaded = load_checkpoint(save_checkpoint(tmp_path, {}, meta=meta)).meta
    assert math.isnan(loaded.pop("loss"))
    assert loaded == {
        "model": {"layers": [64, 10], "name": "Größe"},
        "accuracy": 0.5,
        "epoch": 3,
        "best": None,
        "7": True,
    }
    assert load_checkpoint(save_checkpoint(tmp_path, {})).meta == {}


def test_the_readable_copy_tells_what_is_inside(tmp_path: Path):
    folder = save_checkpoint(tmp_path / "runs" / "1", {"w": np.zeros((2, 3))}, meta={"epoch": 3})
    assert sorted(os.listdir(folder)) == ["checkpoint.json", "weights.safetensors"]
    told = json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))
    assert told["arrays"] == {"w": {"dtype": "float64", "shape": [2, 3]}}
    assert told["meta"] == {"epoch": 3}
    assert told["format"] == 1
    assert "changes here have no effect" in told["note"]
    assert len(told["sha256"]) == 64


def test_the_weights_file_alone_is_the_checkpoint(tmp_path: Path):
    folder = save_checkpoint(tmp_path, {"w": np.ones(2)}, meta={"epoch": 3})
    (folder / "checkpoint.json").unlink()
    loaded = load_checkpoint(folder / "weights.safetensors")
    assert loaded.meta == {"epoch": 3}
    assert repr(loaded) == f"<Checkpoint {loaded.path}: 1 arrays, meta {{'epoch': 3}}>"


def test_the_same_checkpoint_makes_the_same_bytes(tmp_path: Path):
    a, b = np.arange(3.0), np.ones((2, 2), np.float32)
    one = save_checkpoint(tmp_path / "1", {"a": a, "b": b}, meta={"x": 1, "y": 2})
    two = save_checkpoint(tmp_path / "2", {"b": b, "a": a}, meta={"x": 1, "y": 2})
    for name in ("weights.safetensors", "checkpoint.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


@pytest.mark.parametrize("step", range(4))  # fsync and replace of the weights, then of the copy
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_save_leaves_one_whole_checkpoint(tmp_path, monkeypatch, step, error):
    save_checkpoint(tmp_path, {"w": np.zeros(3)}, meta={"epoch": 1})
    steps: list[str] = []

    def guarded(name):
        real = getattr(os, name)

        def act(*args, **options):
            if name == "replace" or not stat.S_ISDIR(os.fstat(args[0]).st_mode):
                steps.append(name)
                if len(steps) == step + 1:
                    raise error
            return real(*args, **options)

        return act

    with monkeypatch.context() as patch:
        for name in ("fsync", "replace"):
            patch.setattr(atomic.os, name, guarded(name))
        expected = CheckpointError if isinstance(error, OSError) else KeyboardInterrupt
        with pytest.raises(expected) as caught:
            save_checkpoint(tmp_path, {"w": np.ones(3)}, meta={"epoch": 2})
    if expected is CheckpointError:
        assert "can't be written: No space left on device. Free some space" in str(caught.value)
        told = "The previous checkpoint in the folder is intact" in str(caught.value)
        assert told == (step < 2)
        assert ("the checkpoint is saved, but its readable copy isn't" in str(caught.value)) != told
    loaded = load_checkpoint(tmp_path)
    epoch = 1 if step < 2 else 2
    assert loaded.meta == {"epoch": epoch}
    np.testing.assert_array_equal(loaded.arrays["w"], np.full(3, epoch - 1.0))
    assert sorted(os.listdir(tmp_path)) == ["checkpoint.json", "weights.safetensors"]


KILLED = """
import os, signal, sys
import numpy as np
from palingrad.io import save_checkpoint
os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
save_checkpoint(sys.argv[1], {"w": np.ones(3)})
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_process_leaves_the_earlier_checkpoint(tmp_path: Path):
    save_checkpoint(tmp_path, {"w": np.zeros(3)}, meta={"epoch": 1})
    path = os.pathsep.join(entry for entry in sys.path if entry)
    environment = {**os.environ, "PYTHONPATH": path}
    process = subprocess.run([sys.executable, "-c", KILLED, tmp_path], env=environment, check=False)
    assert process.returncode == -signal.SIGKILL
    assert load_checkpoint(tmp_path).meta == {"epoch": 1}
    save_checkpoint(tmp_path, {"w": np.ones(3)}, meta={"epoch": 2})
    assert load_checkpoint(tmp_path).meta == {"epoch": 2}
    assert sorted(os.listdir(tmp_path)) == ["checkpoint.json", "weights.safetensors"]


def test_a_save_during_training_never_sees_half_an_update(tmp_path: Path):
    a, b = pg.Variable(0), pg.Variable(0)
    stop = threading.Event()

    def train() -> None:
        while not stop.is_set():
            assign_all((a, b), (sealed(a.numpy() + 1), sealed(b.numpy() + 1)))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=train)
    thread.start()
    try:
        for _ in range(30):
            loaded = load_checkpoint(save_checkpoint(tmp_path, {"a": a, "b": b})).arrays
            assert loaded["a"] == loaded["b"]
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(before)


def test_every_flipped_bit_and_every_cut_is_noticed(tmp_path: Path):
    folder = save_checkpoint(tmp_path, {"w": np.arange(3, dtype=np.int8)}, meta={"epoch": 3})
    file = folder / "weights.safetensors"
    whole = file.read_bytes()
    broken = [whole[:length] for length in range(len(whole))]
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        broken.append(bytes(flipped))
    for content in [*broken, whole + b"\0"]:
        file.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"weights\.safetensors: "):
            load_checkpoint(folder)


def test_arrays_of_another_shape_or_name_are_noticed(tmp_path: Path):
    file = save_checkpoint(tmp_path, {"w": np.zeros((2, 3))}) / "weights.safetensors"
    whole = file.read_bytes()
    for old, new in [(b"[2,3]", b"[3,2]"), (b'"w"', b'"v"'), (b'"F64"', b'"I64"')]:
        assert whole.count(old) == 1
        file.write_bytes(whole.replace(old, new))
        with pytest.raises(CheckpointError, match="the hash differs"):
            load_checkpoint(tmp_path)


def test_a_changed_number_says_so(tmp_path: Path):
    file = save_checkpoint(tmp_path, {"w": np.zeros(3)}) / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\1")
    words = r"has changed since it was saved: the hash differs\. Take the file from a backup"
    with pytest.raises(CheckpointError, match=words):
        load_checkpoint(tmp_path)


BFLOAT16 = b"7" + bytes(7) + b'{"w":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}\0\0'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"",
            r"it isn't a complete safetensors file .*header too small.*Take the file from a backup",
        ),
        (
            save({"w": np.zeros(2)}),
            r"palingrad didn't write it\. For another program's weights use",
        ),
        (save({}, {"palingrad": "[1]"}), "palingrad didn't write it"),
        (save({}, {"palingrad": "{"}), "its header is corrupt"),
        (save({}, {"palingrad": "[" * 99999}), "its header is corrupt"),
        (
            save({}, {"palingrad": '{"format": 2, "palingrad": "9.1"}'}),
            r"it has format 2, written by palingrad 9\.1; .* reads format 1\. Update palingrad",
        ),
        (BFLOAT16, "it contains dtype BF16, which NumPy doesn't have"),
    ],
)
def test_a_file_that_is_no_checkpoint_says_why(tmp_path: Path, content, words):
    (tmp_path / "weights.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=words):
        load_checkpoint(tmp_path)


def test_a_missing_checkpoint_says_what_to_pass(tmp_path: Path):
    words = r"weights\.safetensors: there is no checkpoint to read \(No such file.*Pass the folder"
    with pytest.raises(CheckpointError, match=words):
        load_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match=r"absent: there is no checkpoint to read"):
        load_checkpoint(tmp_path / "absent")


def test_what_cannot_be_saved_is_refused_before_anything_is_written(tmp_path: Path):
    folder = tmp_path / "run"
    words = r"meta can't be written as JSON: ndarray .* isn't JSON.*pass arrays among"
    with pytest.raises(CheckpointError, match=words):
        save_checkpoint(folder, {}, meta={"weights": np.zeros(3)})
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(CheckpointError, match="meta can't be written as JSON: Circular"):
        save_checkpoint(folder, {}, meta={"circle": circle})
    with pytest.raises(CheckpointError, match="3 can't be the name of an array in a checkpoint"):
        save_checkpoint(folder, {3: np.zeros(3)})  # pyright: ignore[reportArgumentType]
    with pytest.raises(CheckpointError, match="'__metadata__' can't be the name of an array"):
        save_checkpoint(folder, {"__metadata__": np.zeros(3)})
    with pytest.raises(CheckpointError, match=r"looks like a file, but a checkpoint is a folder"):
        save_checkpoint(tmp_path / "w.safetensors", {})
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(
        CheckpointError, match=r"checkpoint isn't saved: .*file can't be written: File exists"
    ):
        save_checkpoint(tmp_path / "file", {})
