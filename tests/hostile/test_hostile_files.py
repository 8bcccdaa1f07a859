"""Damaged and hostile files of every format are refused by palingrad's own errors."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import palingrad as pg
from hostile.formats import FORMATS, Format, attempt
from palingrad.data import read_idx
from palingrad.errors import PalingradError, TapeError
from palingrad.io.weights import packed, unpacked


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_damaged_file_is_refused_or_harmless(form: Format, tmp_path: Path):
    used = sum(attempt(form, seed, tmp_path) for seed in range(form.seeds))
    assert used < form.seeds / 2


@pytest.mark.parametrize(
    "read", [read_idx, pg.io.load_checkpoint, pg.load_tape, pg.train.load_run, pg.data.load]
)
@pytest.mark.parametrize("path", ["a\0b", "\ud800", "x" * 5000, "folder", "pipe", "/dev/zero"])
def test_what_is_no_file_is_refused_at_once(read, path, tmp_path: Path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    place = path if path.startswith("/") else f"{tmp_path}/{path}"
    given = [place] if read is not pg.data.load else ["mnist"]
    options = {} if read is not pg.data.load else {"folder": place}
    with pytest.raises(PalingradError) as caught:
        read(*given, **options)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


def test_a_tape_with_several_outputs_is_shown(tmp_path: Path):
    with pg.record() as tape:
        a, b = pg.split(pg.Variable(np.arange(5.0)), sizes=[2, 3])
        pg.sum(a * a)
        pg.sum(b)
    tape.view(tmp_path / "tape.html", open=False)


def test_a_failure_inside_an_operation_of_a_tape_names_it(tmp_path: Path):
    with pg.record(keep="summary") as tape:
        pg.sum(pg.Variable(np.ones((4, 10)), name="w"), axis=0, name="total")
    tape.save(tmp_path / "tape")
    arrays, text = unpacked((tmp_path / "tape").read_bytes())
    (tmp_path / "tape").write_bytes(packed(arrays, text.replace('"axis": 0', '"axis": 7')))
    with pytest.raises(TapeError, match=r"'total' of run 0, a sum, can't be recomputed: .*Error"):
        pg.load_tape(tmp_path / "tape").replay()
