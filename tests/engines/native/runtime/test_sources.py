"""The digest of the sources is kept on disk by the state of the files, and never for others."""

from __future__ import annotations

import os
import py_compile
import time
from py_compile import PycInvalidationMode

import pytest

from palingrad.engines.native.runtime import sources
from palingrad.engines.native.runtime.cache import Unkept

FILES = {"a.py": "x = 1\n", "ops/b.py": "y = 1\n", "nn/above.py": "z = 1\n"}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", str(tmp_path / "cache"))
    package = tmp_path / "package"
    for name, text in FILES.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    monkeypatch.setattr(sources, "PACKAGE", f"{package}{os.sep}")
    monkeypatch.setattr(sources, "LOADED", time.time() + 1000)
    monkeypatch.setattr(sources, "_RACE", -1000.0)
    return package


def kept(tree):
    return [*tree.parent.glob("cache/sources/*")]


def test_files_are_read_once(tree, monkeypatch):
    first = sources.sources_digest()
    assert len(kept(tree)) == 1
    monkeypatch.setattr(sources, "source", None)  # can't be called
    assert sources.sources_digest() == first


@pytest.mark.parametrize("name", ["a.py", "ops/b.py"])
def test_a_change_that_keeps_size_and_time_is_found(tree, name):
    first, before = sources.sources_digest(), (tree / name).stat()
    time.sleep(0.05)  # the time of a file's last change has a resolution of some milliseconds
    (tree / name).write_text(FILES[name].replace("1", "2"))
    os.utime(tree / name, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert sources.sources_digest() != first
    (tree / name).write_text(FILES[name])
    assert sources.sources_digest() == first


def test_new_files_and_names_count_and_those_above_the_engines_do_not(tree):
    first = sources.sources_digest()
    (tree / "nn/above.py").write_text("z = 2\n")
    assert sources.sources_digest() == first
    (tree / "a.py").rename(tree / "c.py")
    second = sources.sources_digest()
    (tree / "d.py").touch()
    assert len({first, second, sources.sources_digest()}) == 3


def test_a_state_that_is_seconds_old_is_not_kept(tree, monkeypatch):
    monkeypatch.setattr(sources, "_RACE", 2.0)
    sources.sources_digest()
    assert not kept(tree)


def test_a_damaged_digest_is_made_anew(tree):
    first = sources.sources_digest()
    (entry,) = kept(tree)
    entry.write_bytes(entry.read_bytes()[:-1] + b"?")
    assert sources.sources_digest() == first


def test_sources_that_changed_after_loading_have_none(tree, monkeypatch):
    sources.sources_digest()
    monkeypatch.setattr(sources, "LOADED", time.time() - 1000)
    with pytest.raises(Unkept, match="has changed since palingrad was loaded"):
        sources.sources_digest()


def test_files_behind_links_count(tree):
    outside = tree.parent / "outside"
    (tree / "ops").rename(outside)
    (tree / "ops").symlink_to(outside)
    (outside / "again").symlink_to(tree)  # a loop
    first = sources.sources_digest()
    (outside / "b.py").write_text("y = 2\n")
    assert sources.sources_digest() != first


def test_hidden_files_are_no_sources(tree):
    first = sources.sources_digest()
    (tree / "ops/.#b.py").symlink_to("user@host.1")  # as Emacs locks a file that is edited
    (tree / "._a.py").write_bytes(b"\0")
    assert sources.sources_digest() == first


def test_without_a_source_that_is_listed_nothing_is_kept(tree):
    (tree / "ops/c.py").symlink_to("nothing")
    with pytest.raises(Unkept, match=r"c\.py can't be read"):
        sources.sources_digest()


def test_nothing_is_kept_of_a_package_that_is_gone_or_in_an_archive(tree):
    tree.rename(tree.parent / "gone")
    with pytest.raises(Unkept, match="can't be read"):
        sources.sources_digest()
    tree.touch()
    with pytest.raises(Unkept, match="can't be read"):
        sources.sources_digest()
    with pytest.raises(Unkept, match="can't be read"):
        sources.source(str(tree / "a.py"))


@pytest.mark.parametrize("is_kept", [False, True])
def test_machine_code_of_outdated_bytecode_is_not_kept(tree, is_kept):
    path = tree / "ops/b.py"
    if is_kept:
        sources.sources_digest()
    before = path.stat()
    py_compile.compile(str(path), invalidation_mode=PycInvalidationMode.TIMESTAMP)
    time.sleep(0.05)
    path.chmod(0o600)  # a later change, of which the bytecode is still right
    sources.sources_digest()
    path.write_text(FILES["ops/b.py"].replace("1", "2"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(Unkept, match=r"Python runs an older version of .*b\.py"):
        sources.sources_digest()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 10**10))
    sources.sources_digest()  # the time differs: Python compiles it anew


def test_bytecode_that_is_damaged_is_not_trusted(tree):
    path = tree / "a.py"
    name = py_compile.compile(str(path), invalidation_mode=PycInvalidationMode.TIMESTAMP)
    with open(str(name), "r+b") as file:
        file.truncate(20)
    time.sleep(0.05)
    path.chmod(0o600)
    with pytest.raises(Unkept, match="older version"):
        sources.sources_digest()
