"""A kernel is compiled once for all Programs, on disk as in memory, and its bits are the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.llvm import parts
from palingrad.engines.native.llvm.objects import can_cut
from palingrad.engines.native.runtime import cache, kernel_store

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", str(tmp_path))
    kernel_store.forget()
    yield tmp_path / "kernels"
    kernel_store.forget()


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    """The names of the functions that are compiled, in order."""
    names: list[str] = []
    compile_one = parts.object_file

    def noted(text: str) -> bytes:
        names.extend(re.findall(r'^define [^@]*@"([^"]+)"', text, re.MULTILINE))
        return compile_one(text)

    monkeypatch.setattr(parts, "object_file", noted)
    return names


def layers(*scales):
    """Layers that are different kernels, each of which calls scalar functions for large numbers."""

    def f(x):
        results = []
        for scale in scales:
            x = pg.softmax(pg.sin(x * scale) @ x.mT) @ x
            results.append(x)
        return (*results, pg.cumsum(x, 1))

    return f


def run(f):
    results = pg.function(f, engine="native")(X)
    return [np.asarray(one).tobytes() for one in results]


def taken(names):
    """What was compiled since the last call: names that depend on the code, and all."""
    found, shared = [*names], [name for name in names if re.fullmatch("k[0-9a-f]{40}", name)]
    names.clear()
    return shared, found


needs_elf = pytest.mark.skipif(not can_cut(), reason="functions are cut out of ELF files only")


@needs_elf
@pytest.mark.parametrize("place", ["memory", "disk"])
def test_another_program_compiles_only_its_new_kernels(compiled, place):
    first = run(layers(2.0, 3.0))
    shared, _ = taken(compiled)
    assert len(shared) > 8
    if place == "disk":
        kernel_store.forget()
    second = run(layers(2.0, 3.0, 4.0))
    new, everything = taken(compiled)
    assert 1 <= len(new) <= 3  # the product with 4, and what is called by both
    assert not {*new} & {*shared}
    assert "run" in everything
    assert second[:2] == first[:2]
    # Compiled alone, without what is known, it has the same bits.
    for entry in Path(os.environ["PALINGRAD_CACHE"]).glob("*/*"):
        entry.unlink()
    kernel_store.forget()
    assert run(layers(2.0, 3.0, 4.0)) == second
    assert {*new} < {*taken(compiled)[0]} <= {*shared, *new}


@needs_elf
def test_kernels_are_shared_without_a_folder(compiled, monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", "off")
    first = run(layers(2.0))
    assert taken(compiled)[0]
    assert run(layers(2.0)) == first
    assert not taken(compiled)[0]


@needs_elf
def test_a_damaged_entry_is_compiled_again(compiled, folder):
    first = run(layers(2.0))
    shared = taken(compiled)[0]
    entries = sorted(folder.iterdir())
    assert len(entries) == len(shared)
    contents = [entry.read_bytes() for entry in entries]
    wrong = bytearray(contents[0])
    wrong[-1] ^= 1
    entries[0].write_bytes(wrong)
    entries[1].write_bytes(contents[1][:-5])
    entries[2].write_bytes(contents[3])
    kernel_store.forget()
    for entry in folder.with_name("native").iterdir():
        entry.unlink()
    assert run(layers(2.0)) == first
    assert len(taken(compiled)[0]) == 3
    for entry in entries:
        assert cache.unpacked(entry.stem[-64:], entry.read_bytes()) is not None


def test_a_folder_that_others_may_write_to_is_not_used(compiled, folder):
    folder.mkdir(mode=0o700)
    folder.chmod(0o777)
    first = run(layers(2.0))
    taken(compiled)
    kernel_store.forget()
    assert run(lambda x: (*layers(2.0)(x), x + 1.0))[: len(first)] == first
    assert "run" in taken(compiled)[1]
    assert not [*folder.iterdir()]


def test_the_oldest_kernels_are_forgotten(monkeypatch, folder):
    first = run(layers(2.0))
    for name, value in {"_MOST": 4, "_SELDOM": 1, "_BYTES": 5000}.items():
        monkeypatch.setattr(kernel_store, name, value)
    run(layers(3.0))
    assert len([*folder.iterdir()]) <= 4
    assert sum(map(len, kernel_store._recent.values())) <= 5000
    assert run(layers(2.0, 3.0))[:1] == first[:1]


def test_processes_share_the_folder(folder):
    code = (
        "import sys; import numpy as np, palingrad as pg\n"
        f"x = np.array({X.tolist()}, 'float32')\n"
        "f = lambda x: (pg.softmax(pg.sin(x * 2.0) @ x.mT) @ x, pg.exp(x))[::int(sys.argv[1])]\n"
        "for y in pg.function(f, engine='native')(x)[::int(sys.argv[1])]:\n"
        "    print(np.asarray(y).tobytes().hex())\n"
    )
    together = [
        subprocess.Popen([sys.executable, "-c", code, order], stdout=subprocess.PIPE, text=True)
        for order in ("1", "-1")
    ]
    outputs = [process.communicate()[0] for process in together]
    assert [process.returncode for process in together] == [0, 0]
    assert outputs[0] == outputs[1]
    for entry in folder.iterdir():
        name = entry.stem.removeprefix("palingrad-")
        assert cache.unpacked(name, entry.read_bytes()) is not None
    assert not can_cut() or [*folder.iterdir()]
