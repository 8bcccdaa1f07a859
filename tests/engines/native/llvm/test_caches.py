"""The sizes of caches as systems list them, and plausible ones where they list nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from palingrad.engines.native.llvm import caches
from palingrad.engines.native.llvm.caches import Caches, found
from palingrad.engines.native.llvm.target import Target, host


def listed(folder: Path, *entries: tuple[str, str, str, str]) -> Path:
    """A folder as Linux writes it, of (level, type, size, CPUs that share it)."""
    for number, texts in enumerate(entries):
        one = folder / f"index{number}"
        one.mkdir()
        for name, text in zip(("level", "type", "size", "shared_cpu_list"), texts, strict=True):
            (one / name).write_text(text + "\n")
    return folder


def test_linux_lists_the_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = listed(
        tmp_path, ("1", "Data", "48K", "0"), ("1", "Instruction", "64K", "0"),
        ("2", "Unified", "2M", "0"), ("3", "Unified", "32M", "0-7"),
    )  # fmt: skip
    monkeypatch.setattr(caches, "_FOLDER", folder)
    assert found() == Caches(48 << 10, 2 << 20)
    assert found().near == 32 << 10


def test_cores_that_share_a_cache_count_in_equal_parts_and_threads_of_a_core_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = listed(tmp_path, ("1", "Data", "32K", "0,8"), ("2", "Unified", "4096K", "0-3,8-11"))
    monkeypatch.setattr(caches, "_FOLDER", folder)
    assert found() == Caches(32 << 10, 1 << 20)


@pytest.mark.parametrize("size", ["", "?", "0K", "4G", "-1"])
def test_sizes_that_nobody_builds_are_replaced(
    size: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = listed(tmp_path, ("1", "Data", size, "0"), ("2", "Unified", "512K", "0"))
    monkeypatch.setattr(caches, "_FOLDER", folder)
    monkeypatch.setattr(caches, "_of_sysconf", lambda: (0, 0))
    assert found() == Caches()


def test_glibc_is_asked_where_the_kernel_lists_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(caches, "_FOLDER", tmp_path / "missing")
    monkeypatch.setattr(caches, "_of_sysctl", lambda: (0, 0))
    monkeypatch.setattr(caches, "_of_sysconf", lambda: (64 << 10, 1 << 20))
    assert found() == Caches(64 << 10, 1 << 20)


def test_the_caches_are_part_of_the_target_and_so_of_every_key_of_code():
    one = Target("x", "", "", 32, 16, "x86", "fma", Caches())
    assert repr(one) != repr(Target("x", "", "", 32, 16, "x86", "fma", Caches(48 << 10)))
    assert host().caches == found()
