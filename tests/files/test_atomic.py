"""A file is written whole or not at all, whatever interrupts."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from palingrad.errors import WriteError
from palingrad.files import atomic
from palingrad.files.atomic import write_atomically

resource = pytest.importorskip("resource")  # POSIX

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


# ---------------------------------------------------------------- what a kill leaves


def left(folder: Path, number: int = 0) -> Path:
    """A temporary file like that of a process that was killed."""
    part = folder / f".palingrad-{number:016x}.part"
    part.write_bytes(b"half")
    return part


def test_the_next_save_deletes_what_killed_processes_left(tmp_path: Path):
    for number in range(3):
        left(tmp_path, number)
    write_atomically(tmp_path / "file", b"new")
    assert os.listdir(tmp_path) == ["file"]


def test_other_files_stay(tmp_path: Path):
    part = f"palingrad-{0:016x}.part"
    others = [".palingrad-0.part", part, f".{part}.old", f".file.{part}", ".part"]
    for name in others:
        (tmp_path / name).write_bytes(b"mine")
    (tmp_path / "elsewhere").write_bytes(b"mine")
    (tmp_path / f".palingrad-{1:016x}.part").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / f".palingrad-{2:016x}.part")
    (tmp_path / f".palingrad-{3:016x}.part").mkdir()
    write_atomically(tmp_path / "file", b"new")
    assert all((tmp_path / name).read_bytes() == b"mine" for name in [*others, "elsewhere"])
    assert (tmp_path / f".palingrad-{1:016x}.part").is_symlink()
    assert (tmp_path / f".palingrad-{3:016x}.part").is_dir()


def test_a_file_that_another_process_writes_stays_and_is_deleted_once_that_process_is_killed(
    tmp_path: Path,
):
    code = (
        "import os, sys, time\n"
        "from palingrad.files.atomic import write_atomically\n"
        "os.fsync = lambda handle: (print('writing', flush=True), time.sleep(60))\n"
        "write_atomically(sys.argv[1], b'slow')"
    )
    path = os.pathsep.join(entry for entry in sys.path if entry)
    slow = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "slow"],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    with slow:
        assert slow.stdout is not None
        assert slow.stdout.readline() == "writing\n"
        write_atomically(tmp_path / "file", b"new")
        assert len(os.listdir(tmp_path)) == 2
        slow.kill()
    write_atomically(tmp_path / "file", b"new")
    assert os.listdir(tmp_path) == ["file"]


def test_a_temporary_file_deleted_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    real, seen = atomic._locked, []

    def late(descriptor: int, *, wait: bool = False) -> bool | None:
        if not seen:
            seen.append([name for name in os.listdir(tmp_path) if name.endswith(".part")])
            os.unlink(tmp_path / seen[0][0])
        return real(descriptor, wait=wait)

    monkeypatch.setattr(atomic, "_locked", late)
    write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_where_files_cannot_be_locked_an_hour_decides(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "fcntl", None)
    old, young = left(tmp_path, 1), left(tmp_path, 2)
    os.utime(old, (0, 0))
    write_atomically(tmp_path / "file", b"new")
    assert not old.exists()
    assert young.exists()


def test_threads_and_saves_side_by_side_leave_whole_files(tmp_path: Path):
    def save(number: int) -> None:
        for count in range(20):
            write_atomically(tmp_path / f"file{count % 3}", bytes([number]) * 2000)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(os.listdir(tmp_path)) == ["file0", "file1", "file2"]
    contents = [(tmp_path / name).read_bytes() for name in os.listdir(tmp_path)]
    assert all(content == content[:1] * 2000 for content in contents)


# ---------------------------------------------------------------- the target


def test_a_replaced_file_keeps_its_permissions_and_a_link_stays_a_link(tmp_path: Path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"old")
    file.chmod(0o640)
    link.symlink_to("file")
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_link_to_nothing_makes_its_target(tmp_path: Path):
    (tmp_path / "link").symlink_to("file")
    write_atomically(tmp_path / "link", "text ∂")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "text ∂"


def test_half_a_character_is_replaced(tmp_path: Path):
    write_atomically(tmp_path / "file", "a\ud800b\udc00👧")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "a\ufffdb\ufffd👧"


def test_a_device_is_written_to_and_not_replaced():
    write_atomically("/dev/null", b"new")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(WriteError, match=r"/dev/full can't be written: No space left on device\. "):
        write_atomically("/dev/full", b"new")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_the_longest_name_is_written(tmp_path: Path):
    write_atomically(tmp_path / ("n" * 255), b"new")
    assert (tmp_path / ("n" * 255)).read_bytes() == b"new"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nowhere/file", "nowhere/file can't be written: No such file or directory. Create the"),
        ("file/file", "file/file can't be written: Not a directory. A part of the path is a file"),
        ("folder", "folder can't be written: it is a folder. Name a file in that folder."),
        ("new/", "new/ can't be written: it is a folder."),
        ("n" * 256, "can't be written: File name too long. Choose a shorter name."),
        ("a\0b", r"a\x00b can't be written: no file can have this name. Choose another name."),
        ("a\ud800", r"a\ud800 can't be written: no file can have this name."),
        ("", "can't be written: it is a folder"),
    ],
)
def test_a_path_that_cannot_be_is_refused(tmp_path: Path, path: str, words: str):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "folder").mkdir()
    with pytest.raises(WriteError) as caught:
        write_atomically(f"{tmp_path}/{path}", b"new")
    assert words in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_a_write_protected_file_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write to all files
    with pytest.raises(WriteError, match=r"file can't be written: Permission denied\. Check the"):
        write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path):
    """The limit on the size of files acts as a full disk, in the middle of a write."""
    write_atomically(tmp_path / "file", b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
        with pytest.raises(WriteError, match="file can't be written: File too large") as caught:
            write_atomically(tmp_path / "file", bytes(20_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.errno == errno.EFBIG
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]
