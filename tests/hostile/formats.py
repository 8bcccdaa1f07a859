"""The formats that palingrad reads: how to make a valid file, to damage it, and to use it.

`use` reads a file and then does with the result what a user does; it may raise palingrad's own
errors only.
"""

from __future__ import annotations

import functools
import gzip
import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import palingrad as pg
from hostile.mutate import mutated_bytes, mutated_json, nested
from palingrad.data import read_idx
from palingrad.data.idx import decode, unzipped
from palingrad.errors import PalingradError
from palingrad.io import load_checkpoint, restore
from palingrad.io.record import _hash, record
from palingrad.io.weights import packed, unpacked
from palingrad.train import load_run, recipe

DEEP = 100_000  # levels of JSON


@dataclass(frozen=True)
class Format:
    """A format: its file name, damaged contents by a random generator, and the use of a file."""

    name: str
    file: str
    damaged: Callable[[random.Random], bytes]
    use: Callable[[Path], None]
    seeds: int = 150  # tried in the tests


def attempt(form: Format, seed: int, folder: Path) -> bool:
    """Use one damaged file; whether it could be used. Any other exception than palingrad's own,
    or a message that doesn't name the file, is an AssertionError."""
    path = folder / form.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(form.damaged(random.Random(seed)))
    try:
        form.use(path)
    except PalingradError as error:
        message = str(error)
        assert len(message) < 2000, f"{form.name} {seed}: a message of {len(message)} characters"
        shown = message.isprintable()
        assert shown, f"{form.name} {seed}: characters that aren't printable: {message!r}"
        return False
    except Exception as error:
        raise AssertionError(
            f"{form.name}, seed {seed}: {type(error).__name__}: {error!s:.300}"
        ) from error
    return True


# ---------------------------------------------------------------- IDX files


def _idx(rng: random.Random) -> bytes:
    code, dtype = rng.choice(((8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4"), (13, ">f4")))
    shape = [rng.randrange(4) for _ in range(rng.randrange(1, 4))]
    sizes = b"".join(size.to_bytes(4, "big") for size in shape)
    return bytes((0, 0, code, len(shape))) + sizes + np.ones(shape, dtype).tobytes()


def _damaged_idx(rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.1:  # sizes whose product overflows, or a zero among huge ones
        axes = rng.randrange(1, 33)
        sizes = [rng.choice((0, 1, 2**16, 2**31, 2**32 - 1)) for _ in range(axes)]
        content = bytes((0, 0, rng.choice((8, 14)), axes))
        content += b"".join(size.to_bytes(4, "big") for size in sizes)
        content += b"" if 0 in sizes else bytes(8)
        return gzip.compress(content) if rng.random() < 0.5 else content
    if kind < 0.15:  # a bomb: 4 MB in 4 kB, although the header asks for 3 bytes
        return gzip.compress(b"\0\0\x08\x01\0\0\0\x03" + bytes(4_000_000), 1)
    content = mutated_bytes(_idx(rng), rng)
    if kind < 0.5:
        content = gzip.compress(content)
        return mutated_bytes(content, rng) if rng.random() < 0.7 else content
    return content


def _use_idx(path: Path) -> None:
    array = read_idx(path)
    assert array.nbytes <= 10 * path.stat().st_size * 1032
    np.testing.assert_array_equal(decode(unzipped(path.read_bytes())), array)


# ---------------------------------------------------------------- checkpoints


def _damaged_checkpoint(rng: random.Random) -> bytes:
    arrays = {"w": np.ones((2, 3), np.float32), "b": np.zeros(3, np.int64)}
    kind = rng.random()
    if kind < 0.5:
        content = packed(arrays, json.dumps(record({"epoch": 1, "names": ["a"]}, arrays)))
        return mutated_bytes(content, rng)
    if kind < 0.6:
        return packed(arrays, rng.choice((nested(DEEP), nested(900, "dict"), "", "[]", "9" * 5000)))
    if kind < 0.75:
        return _lying_header(rng)
    header: Any = mutated_json(record({"epoch": 1, "list": [[1], {}]}, arrays), rng)
    if isinstance(header, dict) and rng.random() < 0.7:
        header["sha256"] = _hash(header, arrays)  # as an attacker would
    return packed(arrays, json.dumps(header))


def _lying_header(rng: random.Random) -> bytes:
    """A safetensors file whose header is JSON, but not true."""
    size = rng.choice((0, 1, 2**31, 2**62, 2**63, 2**64 - 1, 10**30))
    shape = rng.choice(([size], [0, size], [size, size], [-1], [1.5], "3", None, [[1]], [1] * 100))
    begin, end = rng.choice(((0, 4), (4, 0), (0, size), (size, size), (-1, 3), (0, 2**64)))
    kind = rng.choice(("F32", "BF16", "F8_E4M3", "U8", "Q9", 7, None))
    header = json.dumps({"w": {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}})
    if rng.random() < 0.2:
        header = nested(rng.choice((500, DEEP)), rng.choice(("list", "dict")))
    length = len(header) if rng.random() < 0.8 else rng.choice((0, 7, 2**31, 2**63, 2**64 - 1))
    return length.to_bytes(8, "little") + header.encode() + bytes(4)


def _use_checkpoint(path: Path) -> None:
    checkpoint = load_checkpoint(path)
    assert repr(checkpoint.path)
    restore({"w": pg.Variable(np.zeros((2, 3), np.float32))}, checkpoint)


# ---------------------------------------------------------------- tapes


@functools.cache
def _tape() -> bytes:
    """A tape with shared arrays, summaries, several outputs, slices and updates of Variables."""
    w = pg.Variable(np.arange(6, dtype=np.float32).reshape(2, 3), name="w")
    with pg.record(keep="sample") as tape:
        for _ in range(2):
            x = pg.tensor(np.ones((40, 2), np.float32))
            h = pg.tanh(x @ w)[1:, ...]
            a, _b = pg.split(h, sizes=[1, 2], axis=1)
            pg.optim.GradientDescent(0.1).minimize(pg.mean(a * a))
    with tempfile.TemporaryDirectory() as folder:
        tape.save(Path(folder) / "tape")
        return (Path(folder) / "tape").read_bytes()


def _damaged_tape(rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.3:
        return mutated_bytes(_tape(), rng)
    arrays, text = unpacked(_tape())
    if kind < 0.35:
        return packed(
            arrays, rng.choice((nested(DEEP), nested(900, "dict"), "", "[]", "null", "7"))
        )
    if kind < 0.4:  # an array of another shape or dtype
        others = np.ones(3), np.array(True), np.ones((0, 9))
        arrays[rng.choice(list(arrays))] = rng.choice(others)
        return packed(arrays, text)
    return packed(arrays, json.dumps(mutated_json(json.loads(text), rng)))


def _use_tape(path: Path) -> None:
    tape = pg.load_tape(path)
    assert str(tape)
    for moment in tape.moments():
        assert str(moment)
        assert str(moment.summary) if isinstance(moment.value, np.ndarray) else True
    while tape.step() is not None:
        pass
    again = Path(path).with_suffix(".again")
    tape.save(again)
    pg.load_tape(again)
    for use in (
        tape.replay,
        lambda: tape.edit("w", np.ones((2, 3))),
        lambda: tape.differences(tape),
        lambda: [tape.history(name) for name in tape.variables],
        tape.graph,
        lambda: tape.view(again.with_suffix(".html"), open=False, budget=1000),
    ):
        try:
            use()
        except PalingradError:
            pass


# ---------------------------------------------------------------- run records


@functools.cache
def _weights() -> bytes:
    model = recipe("logistic").build(4, 3)
    with tempfile.TemporaryDirectory() as folder:
        pg.io.save_checkpoint(folder, model.variables())
        return (Path(folder) / "weights.safetensors").read_bytes()


def _damaged_run(rng: random.Random) -> bytes:
    settings = {"model": "logistic", "dataset": "digits", "features": 4, "classes": 3}
    run = {"settings": settings, "interrupted": False, "epochs": [{"number": 1}]}
    kind = rng.random()
    if kind < 0.1:
        return rng.choice(
            (nested(DEEP), nested(DEEP, "dict"), '{"settings":' + nested(DEEP))
        ).encode()
    if kind < 0.6:
        return json.dumps(mutated_json(run, rng)).encode()
    return mutated_bytes(json.dumps(run, indent=2).encode(), rng)


def _use_run(path: Path) -> None:
    (path.parent / "weights.safetensors").write_bytes(_weights())
    run = load_run(path.parent)
    assert run.recipe
    run.model()


FORMATS = [
    Format("IDX files", "images-ubyte.gz", _damaged_idx, _use_idx),
    Format("checkpoints", "run/weights.safetensors", _damaged_checkpoint, _use_checkpoint),
    Format("tapes", "tape.pgt", _damaged_tape, _use_tape, seeds=40),
    Format("run records", "run/run.json", _damaged_run, _use_run),
]
