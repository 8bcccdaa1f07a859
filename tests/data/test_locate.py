"""Where the files of a data set are looked for, and what is said where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from palingrad.data import locate as module
from palingrad.data.locate import locate
from palingrad.errors import DataError

pytestmark = pytest.mark.tiny


@pytest.fixture(autouse=True)
def fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Downloads are only noted."""
    names: list[str] = []

    def fetch(source):
        names.append(source.name)
        return tmp_path / "cache"

    monkeypatch.setattr(module, "fetch", fetch)
    return names


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("subfolder", ["", "tiny-set"])
@pytest.mark.parametrize("by", ["folder", "PALINGRAD_DATA"])
def test_files_are_found(tiny, tmp_path: Path, monkeypatch, fetched, zipped, subfolder, by):
    place = tiny.write(tmp_path / subfolder, zipped=zipped)
    if by == "PALINGRAD_DATA":
        monkeypatch.setenv(by, str(tmp_path))
    paths = locate(tiny.source, tmp_path if by == "folder" else None)
    ending = ".gz" if zipped else ""
    assert paths == [place / (part.file + ending) for part in tiny.source.parts]
    assert fetched == []


def test_the_folder_that_is_given_goes_before_the_environment(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("PALINGRAD_DATA", str(tiny.write(tmp_path / "outside")))
    inside = tiny.write(tmp_path / "inside")
    assert {path.parent for path in locate(tiny.source, inside)} == {inside}


def test_the_subfolder_goes_before_the_folder(tiny, tmp_path):
    """Sets of this form share their file names: the set's own subfolder is the surer place."""
    tiny.write(tmp_path)
    own = tiny.write(tmp_path / "tiny-set")
    assert {path.parent for path in locate(tiny.source, tmp_path)} == {own}


def test_gzipped_and_plain_files_may_mix(tiny, tmp_path):
    tiny.write(tmp_path)
    last = tiny.source.parts[-1].file
    (tmp_path / f"{last}.gz").unlink()
    (tmp_path / last).write_bytes(tiny.contents[last])
    assert [path.suffix for path in locate(tiny.source, tmp_path)] == [".gz", ".gz", ".gz", ""]


def test_a_home_folder_may_be_written_short(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    tiny.write(tmp_path / "sets")
    assert len(locate(tiny.source, "~/sets")) == 4


@pytest.mark.parametrize("other", [None, "", "elsewhere"])
def test_else_the_set_is_downloaded(tiny, tmp_path, monkeypatch, fetched, other):
    if other is not None:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.setenv("PALINGRAD_DATA", other and str(tmp_path / other))
    paths = locate(tiny.source)
    assert fetched == ["tiny-set"]
    assert paths == [tmp_path / "cache" / f"{part.file}.gz" for part in tiny.source.parts]


def test_a_given_folder_without_the_set_is_an_error(tiny, tmp_path, fetched):
    words = r"doesn't contain Tiny set: train-images.*nor in its subfolder tiny-set\. Pass"
    with pytest.raises(DataError, match=words):
        locate(tiny.source, tmp_path)
    assert fetched == []


def test_a_folder_that_does_not_exist_is_an_error(tiny, tmp_path, monkeypatch, fetched):
    absent = tmp_path / "absent"
    with pytest.raises(DataError, match=r"absent, the given folder, isn't a folder.*Set PAL"):
        locate(tiny.source, absent)
    monkeypatch.setenv("PALINGRAD_DATA", str(absent))
    with pytest.raises(DataError, match=r"absent, PALINGRAD_DATA, isn't a folder.*--data"):
        locate(tiny.source)
    assert fetched == []


def test_half_a_set_is_an_error_that_names_the_rest(tiny, tmp_path, monkeypatch, fetched):
    tiny.write(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    monkeypatch.setenv("PALINGRAD_DATA", str(tmp_path))
    words = r"only part of Tiny set: train-labels-idx1-ubyte and t10k-labels-idx1-ubyte.*Put them"
    with pytest.raises(DataError, match=words):
        locate(tiny.source)
    assert fetched == []
