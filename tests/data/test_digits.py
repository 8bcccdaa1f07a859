"""The embedded digits are the originals, split the same way for good."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from palingrad.data import digits, load
from palingrad.data.idx import unzipped
from palingrad.errors import DataError

pytestmark = pytest.mark.tiny


def test_the_files_are_what_their_note_says():
    folder = files("palingrad.data")
    note = folder.joinpath("DIGITS.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| `(digits-\S+)` \| `(\w{64})` \|", note)
    assert len(rows) == 2
    for name, digest in rows:
        content = unzipped(folder.joinpath(f"{name}.gz").read_bytes())
        assert hashlib.sha256(content).hexdigest() == digest
    for words in ["Alpaydin", "Kaynak", "1998", "CC BY 4.0", "creativecommons.org"]:
        assert words in note


def test_shapes_values_and_classes():
    data = load("digits")
    assert data.train.images.shape == (1437, 8, 8)
    assert data.test.images.shape == (360, 8, 8)
    assert data.train.labels.shape == (1437,)
    assert data.classes == tuple("0123456789")
    assert data.num_inputs == 64
    assert "CC BY 4.0" in data.licence
    assert "Alpaydin & C. Kaynak" in data.source
    for split in (data.train, data.test):
        assert (split.images.min(), split.images.max()) == (0, 16)
        assert (split.inputs.min(), split.inputs.max()) == (0, 1)
        assert np.bincount(split.labels, minlength=10).min() >= 24


def test_each_class_counts_as_in_the_original():
    data = load("digits")
    labels = np.concatenate([data.train.labels, data.test.labels])
    expected = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # optdigits.names
    assert np.bincount(labels).tolist() == expected


def test_the_split_is_the_same_for_good():
    data = load("digits")
    assert data.train.labels[:12].tolist() == [4, 5, 3, 8, 2, 5, 8, 0, 1, 2, 6, 2]
    assert data.test.labels[:12].tolist() == [7, 6, 9, 4, 3, 6, 5, 9, 7, 1, 0, 0]


def test_a_broken_installation_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(digits, "files", lambda package: tmp_path)
    with pytest.raises(DataError, match=r"digits-images.*missing or corrupt.*Reinstall palingrad"):
        load("digits")
    (tmp_path / "digits-images-idx3-ubyte.gz").write_bytes(b"\x1f\x8bnonsense")
    with pytest.raises(DataError, match="its gzip data is corrupt"):
        load("digits")
