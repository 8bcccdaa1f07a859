"""A file is written whole or not at all, whatever interrupts."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from palingrad.files import atomic
from palingrad.files.atomic import write_atomically

pytestmark = pytest.mark.tiny


def test_a_file_is_written_and_replaced(tmp_path: Path):
    file = tmp_path / "file"
    write_atomically(file, b"one")
    write_atomically(file, b"two")
    assert file.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["file"]


def test_others_may_read_it_as_any_new_file(tmp_path: Path):
    write_atomically(tmp_path / "ours", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interruption_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch, step, error):
    file = tmp_path / "file"
    write_atomically(file, b"old")

    def interrupted(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(atomic.os, step, interrupted)
    with pytest.raises(type(error)):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="only POSIX opens folders")
def test_a_file_system_that_cannot_sync_folders_will_do(tmp_path, monkeypatch):
    real = os.fsync

    def only_files(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(22, "Invalid argument")
        real(handle)

    monkeypatch.setattr(atomic.os, "fsync", only_files)
    write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
