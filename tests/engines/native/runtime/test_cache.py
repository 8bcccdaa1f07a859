"""Machine code kept on disk: the same program finds it, no other; damage does no harm."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.runtime import cache
from palingrad.graph.kinds import Elementwise

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", str(tmp_path))
    return tmp_path / "native"


def run(f, *args):
    function = pg.function(f, engine="native")
    result = function(*args)
    (traced,) = function._programs.values()
    return result, traced.executable.from_cache


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


@pytest.mark.parametrize("damage", [b"", b"short", b"\0" * 5000])
def test_a_damaged_entry_is_as_good_as_none(folder, damage):
    expected, _ = run(lambda x: pg.exp(x) + 1.0, X)
    for entry in folder.iterdir():
        entry.write_bytes(damage)
    result, found = run(lambda x: pg.exp(x) + 1.0, X)
    assert not found
    np.testing.assert_array_equal(result, expected)
    assert run(lambda x: pg.exp(x) + 1.0, X)[1]  # and is replaced


def test_an_operation_of_ones_own_is_compiled_each_time(folder):
    def scaled(k):
        class Scaled(Elementwise):
            samples = ()

            def f(m, x):
                return x * k

            def d(y, x):
                return [k]

        return Scaled

    for k in (2.0, 3.0):
        own = scaled(k)
        result, found = run(lambda x, own=own: own(x), X)
        assert not found
        np.testing.assert_array_equal(result, X * np.float32(k))


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PALINGRAD_CACHE", str(tmp_path / "file"))
    assert run(lambda x: x + 1.0, X)[1] is False


def test_off_keeps_nothing(monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", "off")
    assert cache.folder() is None
    assert cache.entries() == (0, 0)


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
    assert all(cache.load(entry.name) is not None for entry in folder.iterdir())
