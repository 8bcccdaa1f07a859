"""Machine code kept on disk: the same program finds it, no other; damage does no harm, and nothing
runs that somebody else may have written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.executable import NativeExecutable
from palingrad.engines.native.runtime import cache, cache_key
from palingrad.graph.kinds import Elementwise
from palingrad.graph.leaves import Constant
from palingrad.graph.registry import is_shipped, operations
from tolerances import assert_close

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
PACKAGE = Path(pg.__file__).parent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", str(tmp_path))
    return tmp_path / "native"


def executable(f, *args):
    made = NativeExecutable(pg.function(f, engine="numpy").program(*args))
    return made(args)[0], made


def run(f, *args):
    """The result, and whether the code was on disk."""
    function = pg.function(f, engine="native")
    result = function(*args)
    return result, "code from the cache" in function.explain(*args)


def in_new_process(code, *, source=PACKAGE.parent):
    """What a new process prints that runs `code` with palingrad from `source`."""
    head = "import numpy as np, palingrad as pg\n"
    done = subprocess.run(
        [sys.executable, "-c", head + code],
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


# ---------------------------------------------------------------- what the key holds


def test_the_same_program_is_found_and_gives_the_same_bits(folder):
    first, found = run(lambda x: pg.softmax(x * 2.0), X)
    again, found_again = run(lambda x: pg.softmax(x * 2.0), X)
    assert (found, found_again) == (False, True)
    assert first.tobytes() == again.tobytes()


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: pg.softmax(x * 3.0), X),  # another number
        (lambda x: pg.softmax(x * 2.0, axis=0), X),  # another attribute
        (lambda x: pg.softmax(x * 2.0), X[:2]),  # another shape
        (lambda x: pg.softmax(x * 2.0), X.astype(np.float64)),  # another dtype
        (lambda x: (pg.softmax(x * 2.0), x * 2.0), X),  # another output
    ],
)
def test_another_program_is_not(folder, f, x):
    run(lambda x: pg.softmax(x * 2.0), X)
    assert not run(f, x)[1]


POWER = """
f = pg.function(lambda x: (x ** pg.tensor(np.array({}))) + 1, engine="native")
try:
    print(f(np.array([3, 5])).tolist())
except ValueError as error:
    print(error)
"""


def test_the_key_covers_constants_on_which_the_code_depends(folder):
    refused = "Integers to negative integer powers are not allowed."
    assert in_new_process(POWER.format([1, -2])) == refused
    assert in_new_process(POWER.format([1, 2])) == "[4, 26]"


def test_emitting_code_reads_no_constants_but_numbers(folder, monkeypatch):
    """Planning may: what it decides is in the key. Emission isn't repeated where code is found."""
    table = np.arange(12.0, dtype=np.float32).reshape(4, 3)
    w = pg.Variable(table)

    @pg.function(engine="native")
    def step(x):
        y = pg.softmax(x @ w + table[0]) * table.T[:3, :3] ** 2.0
        y = y + pg.take(pg.tensor(table), np.array([0, 2, 1])) + pg.max(y, axis=0)
        loss = pg.sum(y * y) + pg.sum(pg.tensor(np.arange(3)) ** np.array([1, 2, 3]))
        w.assign(w - 0.1 * pg.gradients(loss, w))
        return loss

    step(X)
    made = NativeExecutable(step.program(X))
    read = []
    numpy = Constant.numpy
    monkeypatch.setattr(Constant, "numpy", lambda self: read.append(self.shape) or numpy(self))
    made.emitted()
    assert set(read) <= {()}


PLAIN = """
f = pg.function(lambda x: pg.silu(x), engine="native")
x = np.ones(5, np.float32)
print(f(x)[0], "code from the cache" in f.explain(x))
"""


def test_an_edited_formula_is_compiled_again(folder, tmp_path):
    copy = tmp_path / "copy" / "palingrad"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    first = in_new_process(PLAIN, source=copy.parent)
    assert in_new_process(PLAIN, source=copy.parent) == first.replace("False", "True")
    file = copy / "ops" / "elementwise" / "activation.py"
    before, text = file.stat(), file.read_text()
    product = "m.maximum(x, -1000) * _sigmoid(m, x)"
    edited = text.replace(product, f"{product} * 3", 1)
    assert edited != text
    file.write_text(edited)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))
    value, found = in_new_process(PLAIN, source=copy.parent).split()
    assert found == "False"
    assert_close(np.float32(value), np.float32(3 / (1 + np.exp(-1.0))))


def test_sources_edited_after_loading_have_no_key(folder, tmp_path):
    copy = tmp_path / "copy" / "palingrad"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    edit = "import pathlib\npathlib.Path(pg.__file__).with_name('dtypes.py').touch()\n"
    tell = PLAIN + "print('has changed since' in ' '.join(f.explain(x).split()))"
    assert in_new_process(edit + tell, source=copy.parent).endswith("False\nTrue")
    assert not list(folder.glob("*"))


def test_the_key_covers_every_operation_of_the_library():
    covered = [
        (one, cache_key._is_covered(one.__module__))
        for one in operations.values()
        if is_shipped(one) and not one.__module__.startswith("palingrad.view.")
    ]
    assert covered
    assert not [one for one, fine in covered if not fine]


def test_a_users_operation_is_cached_by_the_steps_of_its_formula(folder):
    def scaled(k):
        class Scaled(Elementwise):
            samples = ()

            def f(m, x):
                return x * k

            def d(y, x):
                return [k]

        return Scaled

    for k, kept in ((2.0, False), (3.0, False), (2.0, True)):
        own = scaled(k)
        result, found = run(lambda x, own=own: own(x), X)
        assert found == kept
        np.testing.assert_array_equal(result, X * np.float32(k))


def test_a_replaced_formula_of_the_library_has_no_key(folder, monkeypatch):
    run(lambda x: pg.tanh(x), X)
    monkeypatch.setattr(type(pg.tanh(X)), "f", staticmethod(lambda m, x: x * 2))
    result, made = executable(lambda x: pg.tanh(x), X)
    assert not made.from_cache
    np.testing.assert_array_equal(result, X * 2)


def test_fallbacks_do_not_affect_the_key(folder):
    class Doubled(pg.Custom):
        factor = 2.0

        def compute(self, x):
            return x * np.float32(self.factor)

    def f(x):
        return pg.exp(Doubled(pg.exp(x)))

    assert [run(f, X)[1], run(f, X)[1]] == [False, True]
    Doubled.factor = 3.0
    result, found = run(f, X)
    assert found
    expected = np.exp(3 * np.exp(X))  # which has 8 times the relative error of 3 exp(x)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


# ---------------------------------------------------------------- what isn't trusted


@pytest.mark.parametrize("damage", [b"", b"short", b"\0" * 5000])
def test_a_damaged_entry_is_compiled_again(folder, damage):
    expected, _ = run(lambda x: pg.exp(x) + 1.0, X)
    for entry in folder.iterdir():
        entry.write_bytes(damage)
    result, found = run(lambda x: pg.exp(x) + 1.0, X)
    assert not found
    np.testing.assert_array_equal(result, expected)
    assert run(lambda x: pg.exp(x) + 1.0, X)[1]  # and is replaced


@pytest.mark.parametrize("place", [0, 30, 70, -1])
def test_a_corrupted_truncated_or_renamed_entry_is_not_used(place):
    content = cache.packed("a" * 64, bytes(range(256)))
    assert cache.unpacked("a" * 64, content) == bytes(range(256))
    wrong = bytearray(content)
    wrong[place] ^= 1
    assert cache.unpacked("a" * 64, bytes(wrong)) is None
    assert cache.unpacked("a" * 64, content[:-1]) is None
    assert cache.unpacked("b" * 64, content) is None


def f(x):
    return pg.exp(x) * 5.0


def test_a_folder_that_others_can_write_to_is_not_used(folder):
    run(f, X)
    for mode in (0o775, 0o757):
        folder.chmod(mode)
        _, made = executable(f, X)
        assert not made.from_cache
        assert "can be written to by other users: run chmod go-w on it" in made.unkept
        assert "cache: the code isn't kept" in made.explain()
        assert "nothing is kept" in cache.described()
    folder.chmod(0o700)
    assert run(f, X)[1]


def test_an_entry_that_others_can_write_to_is_compiled_again(folder):
    run(f, X)
    (entry,) = folder.iterdir()
    assert entry.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    entry.chmod(0o622)
    assert [run(f, X)[1], run(f, X)[1]] == [False, True]


def test_a_folder_of_another_user_is_not_used(folder, monkeypatch):
    run(f, X)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    _, made = executable(f, X)
    assert not made.from_cache
    assert "belongs to another user" in made.unkept


def test_an_entry_that_is_a_link_or_not_a_file_is_compiled_again(folder, tmp_path):
    run(f, X)
    (entry,) = folder.iterdir()
    content = entry.read_bytes()
    (tmp_path / "elsewhere").write_bytes(content)
    entry.unlink()
    entry.symlink_to(tmp_path / "elsewhere")
    assert [run(f, X)[1], run(f, X)[1]] == [False, True]
    assert (tmp_path / "elsewhere").read_bytes() == content
    entry.unlink()
    os.mkfifo(entry)
    assert [run(f, X)[1], run(f, X)[1]] == [False, True]


def test_a_write_that_fails_leaves_no_file(folder):
    run(f, X)
    (entry,) = folder.iterdir()
    entry.unlink()
    entry.mkdir()  # no file can take its place
    _, made = executable(f, X)
    assert "can't be written to (Is a directory)" in made.unkept
    assert list(folder.iterdir()) == [entry]


def test_entries_that_another_process_deletes_meanwhile_are_no_error(folder, monkeypatch):
    monkeypatch.setattr(cache, "_MOST", 0)
    gone = [f"palingrad-{'0' * 64}.code", f".palingrad-{'0' * 16}.new"]
    monkeypatch.setattr(
        cache.Folder, "names", lambda self, form: [one for one in gone if form.fullmatch(one)]
    )
    _, made = executable(f, X)
    assert made.unkept == ""
    assert cache.described().startswith("entries: 0 of programs")


def test_only_entries_are_deleted(folder, monkeypatch):
    monkeypatch.setattr(cache, "_MOST", 2)
    folder.mkdir(mode=0o700)
    own = ["notes.txt", "0" * 64, f"palingrad-{'0' * 64}.code", ".palingrad-mine.part"]
    for name in own:
        (folder / name).write_text("my own")
        os.utime(folder / name, (0, 0))
    left = folder / f".palingrad-{'1' * 16}.part"  # what a process that was killed leaves
    left.write_bytes(cache.packed("", b"code")[:20])
    for k in range(5):
        run(lambda x, k=k: pg.exp(x) * float(k + 2), X)
    assert all((folder / name).read_text() == "my own" for name in own)
    assert not left.exists()
    assert len(list(folder.iterdir())) <= len(own) + 2


# ---------------------------------------------------------------- folders


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PALINGRAD_CACHE", str(tmp_path / "file"))
    _, made = executable(lambda x: x + 1.0, X)
    assert not made.from_cache
    assert "can't be opened" in made.unkept


def test_before_the_first_compilation_there_are_no_programs(tmp_path, monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", str(tmp_path / "new"))
    none = f"entries: 0 of programs, 0 of kernels, 0.0 MB in {tmp_path / 'new'}"
    assert cache.described() == none
    (tmp_path / "new").touch()
    assert cache.described().startswith("nothing is kept: ")


def test_programs_and_kernels_are_counted(tmp_path, monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", str(tmp_path))
    run(lambda x: pg.exp(x) * 1.5, X)
    counts = [len(list((tmp_path / kind).iterdir())) for kind in ("native", "kernels")]
    assert min(counts) > 0
    size = sum(one.stat().st_size for one in tmp_path.rglob("*.code")) / 1e6
    expected = f"entries: {counts[0]} of programs, {counts[1]} of kernels, {size:.1f} MB"
    assert cache.described() == f"{expected} in {tmp_path}"


def test_off_keeps_nothing(monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", "off")
    assert cache.folder() is None
    assert cache.described() == "off"
    assert not run(lambda x: x + 1.0, X)[1]


def test_several_processes_share_the_folder(folder):
    code = (
        "import numpy as np, palingrad as pg\n"
        "f = pg.function(lambda x: pg.tanh(x) * 3.0, engine='native')\n"
        "print(f(np.ones(5, np.float32)).tobytes().hex())"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = {process.communicate()[0] for process in started}
    assert len(outputs) == 1
    assert all(process.returncode == 0 for process in started)
    assert all(
        cache.unpacked(entry.stem.removeprefix("palingrad-"), entry.read_bytes()) is not None
        for entry in folder.iterdir()
    )
    count = len(list(folder.iterdir()))
    assert cache.described().startswith(f"entries: {count} of programs, ")
