"""Downloads, from a web server on this computer: mirrors, hashes, interruptions."""

from __future__ import annotations

import gzip
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pooch
import pytest

from palingrad.data import fetch as module
from palingrad.data.fetch import fetch
from palingrad.data.mnist import load_source
from palingrad.errors import DataError


@pytest.fixture
def served(tiny, mirror):
    """The tiny source with two mirrors of one server, of which the second has the files."""
    mirror.files = {
        f"/good/{name}.gz": gzip.compress(content, mtime=0)
        for name, content in tiny.contents.items()
    }
    return replace(tiny.source, mirrors=(f"{mirror.url}/bad/", f"{mirror.url}/good/"))


def everything(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def names(source) -> list[str]:
    return sorted(f"{part.file}.gz" for part in source.parts)


def test_a_file_comes_from_the_first_mirror_that_has_it(served, mirror, tmp_path):
    folder = fetch(served, tmp_path)
    assert folder == tmp_path / "tiny-set"
    assert everything(tmp_path) == names(served)
    assert len(mirror.asked) == 8  # each file first from the mirror that lacks it


def test_what_is_in_the_cache_is_not_fetched_again(served, mirror, tmp_path):
    fetch(served, tmp_path)
    mirror.asked.clear()
    fetch(served, tmp_path)
    assert mirror.asked == []


def test_a_file_with_another_hash_is_refused_and_the_next_mirror_asked(served, mirror, tmp_path):
    for part in served.parts:
        mirror.files[f"/bad/{part.file}.gz"] = b"something else"
    fetch(served, tmp_path)
    assert everything(tmp_path) == names(served)


def test_a_broken_file_in_the_cache_is_replaced(served, tmp_path):
    folder = fetch(served, tmp_path)
    broken = folder / "train-images-idx3-ubyte.gz"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:50])
    fetch(served, tmp_path)
    assert broken.read_bytes() == whole


def test_a_connection_cut_short_leaves_nothing_and_the_next_try_works(served, mirror, tmp_path):
    mirror.cut_short = True
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz couldn't be downloaded"):
        fetch(served, tmp_path)
    assert everything(tmp_path) == []
    mirror.cut_short = False
    fetch(served, tmp_path)
    assert everything(tmp_path) == names(served)


def test_ctrl_c_leaves_nothing_broken(served, tmp_path, monkeypatch):
    def interrupted(*_args: object, **_options: object) -> bool:
        raise KeyboardInterrupt  # downloaded, not yet checked

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_atomically", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(served, tmp_path)
    assert everything(tmp_path) == []
    fetch(served, tmp_path)
    assert everything(tmp_path) == names(served)


def test_where_no_mirror_helps_the_error_says_what_was_tried_and_what_to_do(
    served, mirror, tmp_path
):
    mirror.files = {"/good/train-images-idx3-ubyte.gz": b"something else"}
    with pytest.raises(DataError) as caught:
        fetch(served, tmp_path)
    message = str(caught.value)
    assert message.startswith("Tiny set: train-images-idx3-ubyte.gz couldn't be downloaded to ")
    assert str(tmp_path / "tiny-set") in message
    assert f"{mirror.url}/bad/train-images-idx3-ubyte.gz: 404" in message
    assert f"{mirror.url}/good/train-images-idx3-ubyte.gz: MD5 hash of downloaded file" in message
    assert "set PALINGRAD_DATA to their folder (or pass --data" in message
    assert "`digits` needs no download" in message


def test_a_cache_that_cannot_be_written_is_an_error(served, tmp_path):
    (tmp_path / "tiny-set").write_bytes(b"a file where the folder should be")
    with pytest.raises(DataError, match="couldn't be downloaded to"):
        fetch(served, tmp_path)


def test_a_download_that_does_not_end_is_refused(served, mirror, tmp_path):
    mirror.files = {path: content + bytes(2_000_000) for path, content in mirror.files.items()}
    with pytest.raises(DataError, match=r"the file is longer than 1,000,120 bytes"):
        fetch(served, tmp_path)
    assert everything(tmp_path) == []


def test_without_pooch_the_error_says_how_to_get_it(served, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(
        DataError, match=r"pooch, needed to download it, isn't installed.*pip install"
    ):
        fetch(served, tmp_path)


def test_a_set_is_loaded_through_the_system_s_cache(served, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / project)
    data = load_source(served)
    np.testing.assert_array_equal(data.test.images, tiny.arrays[2])
    assert everything(tmp_path / "palingrad" / "tiny-set") == names(served)
