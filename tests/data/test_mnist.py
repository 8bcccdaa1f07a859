"""MNIST and its kin: the real files, and all that can be wrong with files of their form."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from palingrad.data import idx, load, mnist as module, read_idx
from palingrad.data.mnist import load_source
from palingrad.data.sources import FASHION_MNIST, MNIST
from palingrad.errors import DataError

IMAGES = "train-images-idx3-ubyte"
LABELS = "train-labels-idx1-ubyte"


def replaced(tiny, folder: Path, name: str, content: bytes) -> Path:
    """The tiny set in `folder`, with one file's content replaced."""
    tiny.write(folder)
    (folder / f"{name}.gz").write_bytes(content)
    return folder


def unproved(tiny):
    """The tiny source as if only the md5 of the original .gz files were known."""
    return replace(tiny.source, parts=tuple(replace(part, sha256="") for part in tiny.source.parts))


def test_mnist_is_mnist(mnist_folder):
    data = load("mnist", folder=mnist_folder)
    assert data.train.images.shape == (60000, 28, 28)
    assert data.test.images.shape == (10000, 28, 28)
    assert data.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert data.train.images.dtype == np.uint8
    assert data.train.inputs.shape == (60000, 784)
    assert data.train.inputs.mean(dtype=np.float64) == pytest.approx(0.1306605, abs=1e-6)
    assert data.classes == tuple("0123456789")


def test_mnist_is_found_through_the_environment(mnist_folder, monkeypatch):
    monkeypatch.setenv("PALINGRAD_DATA", str(mnist_folder / "mnist"))
    assert len(load("mnist").test) == 10000


def test_mnist_is_not_taken_for_fashion(mnist_folder):
    """The files have the same names and shapes."""
    with pytest.raises(DataError, match="it contains MNIST, not Fashion-MNIST"):
        load("fashion-mnist", folder=mnist_folder / "mnist")


def test_a_small_set_of_the_same_form_loads(tiny, tmp_path):
    data = load_source(tiny.source, tiny.write(tmp_path))
    np.testing.assert_array_equal(data.train.images, tiny.arrays[0])
    np.testing.assert_array_equal(data.train.labels, tiny.arrays[1])
    np.testing.assert_array_equal(data.test.images, tiny.arrays[2])
    np.testing.assert_array_equal(data.test.labels, tiny.arrays[3])
    assert data.name == "tiny-set"
    assert data.num_inputs == 20


def test_another_compressor_s_file_is_as_good(tiny, tmp_path):
    folder = replaced(tiny, tmp_path, IMAGES, gzip.compress(tiny.contents[IMAGES], 1, mtime=9))
    assert len(load_source(tiny.source, folder).train) == 6
    assert len(load_source(unproved(tiny), folder).train) == 6


def test_one_changed_pixel_is_noticed(tiny, tmp_path):
    content = bytearray(tiny.contents[IMAGES])
    content[-1] ^= 1
    folder = replaced(tiny, tmp_path, IMAGES, bytes(content))
    words = rf"{IMAGES}\.gz: its content isn't Tiny set's: sha256 .* Put the original there.*--data"
    with pytest.raises(DataError, match=words):
        load_source(tiny.source, folder)


@pytest.mark.parametrize("prove", [True, False])
@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        (IMAGES, lambda content: content[:-5], r"it is truncated: shape \(6, 4, 5\) of uint8"),
        (IMAGES, lambda content: content + b"x", "it is too long"),
        (IMAGES, lambda content: b"", "it isn't an IDX file"),
        (IMAGES, lambda content: b"<html>", "it isn't an IDX file: it starts with b'<html>'"),
        (IMAGES, lambda content: gzip.compress(content)[:-9], "its gzip data is corrupt"),
        (
            LABELS,
            lambda content: b"\0\0\x08\x01\0\0\0\x02\1\2",
            r"expected uint8 \(6,\) for Tiny set, got uint8 \(2,\)",
        ),
        (
            LABELS,
            lambda content: b"\0\0\x09\x01\0\0\0\x06\1\2\3\4\5\6",
            r"expected uint8 \(6,\) for Tiny set, got int8 \(6,\)",
        ),
        (LABELS, lambda content: content[:-1] + b"\x0a", "label 10 isn't one of 10 classes"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tiny, tmp_path, prove, name, change, words):
    folder = replaced(tiny, tmp_path, name, change(tiny.contents[name]))
    source = tiny.source if prove else unproved(tiny)
    with pytest.raises(DataError, match=rf"{name}\.gz: {words}.*\. Put the original there"):
        load_source(source, folder)


def test_a_file_that_cannot_be_read_is_named(tiny, tmp_path, monkeypatch):
    tiny.write(tmp_path)

    def denied(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(idx, "read_file", denied)
    with pytest.raises(DataError, match=rf"{IMAGES}\.gz: it can't be read \(Permission denied\)"):
        load_source(tiny.source, tmp_path)


def test_without_content_hashes_the_files_of_mnist_are_still_refused(tiny, tmp_path, monkeypatch):
    other = replace(unproved(tiny), parts=tuple(replace(p, md5="0") for p in unproved(tiny).parts))
    monkeypatch.setattr(module, "MNIST", tiny.source)
    with pytest.raises(DataError, match="it contains MNIST, not Tiny set"):
        load_source(other, tiny.write(tmp_path))


def test_every_source_says_what_it_needs_to():
    for source in (MNIST, FASHION_MNIST):
        assert len(source.mirrors) >= 2
        assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in source.mirrors)
        assert [part.shape[0] for part in source.parts] == [60000, 60000, 10000, 10000]
        assert all(len(part.md5) == 32 for part in source.parts)
        assert len(source.classes) == 10
    assert all(len(part.sha256) == 64 for part in MNIST.parts)
    assert len({part.md5 for part in (*MNIST.parts, *FASHION_MNIST.parts)}) == 8


def test_the_shared_hashes_are_those_in_the_code(mnist_folder, mnist_note):
    assert all(part.sha256 in mnist_note for part in MNIST.parts)
    assert read_idx(mnist_folder / "mnist" / f"{LABELS}.gz").shape == (60000,)
