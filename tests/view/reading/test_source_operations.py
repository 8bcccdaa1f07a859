"""pg.source of every operation and its gradient gives the numpy engine's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.proof import shipped
from palingrad.proof.case import Case, slopes_of
from tolerances import assert_close
from view.reading.written import Folder

DTYPES = (np.float32, np.float64)
TOGETHER = 8  # samples that are written as one module: writing and loading one takes longest


def programs(dtype: Any) -> list[tuple[str, Case]]:
    """The first sample of each operation in both dtypes, the others in each in turn."""
    return [
        (f"{operation.__name__} {sample.text}", Case(operation, sample))
        for operation in shipped()
        for number, sample in enumerate(operation.samples)
        if number == 0 or DTYPES[number % 2] is dtype
    ]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_operation_on_every_sample(tmp_path, dtype):
    """A module holds several operations; where it fails, one of each alone says which it is."""
    folder = Folder(tmp_path)
    listed = programs(dtype)
    for start in range(0, len(listed), TOGETHER):
        group = listed[start : start + TOGETHER]
        try:
            check_written(folder, group, dtype)
        except Exception:
            for one in group:
                check_written(folder, [one], dtype)
            raise
    folder.check()


def check_written(folder: Folder, group: Sequence[tuple[str, Case]], dtype: Any) -> None:
    """The module written for these cases gives the bits that the numpy engine gives."""
    names = ", ".join(name for name, _ in group)
    fetches: list[Any] = []
    feeds: dict[Any, Any] = {}
    try:
        with pg.Graph():
            for _, case in group:
                arrays = case.arrays(dtype)
                xs = [pg.placeholder(a.shape, dtype=a.dtype) for a in arrays]
                ys = case.outputs(*xs)
                fetches += [*ys, *slopes_of(xs, ys, [*xs, *ys])]
                feeds |= zip(xs, arrays, strict=True)
        run = folder.load(pg.source(fetches, name="run"))["run"]
        found = run(*[feeds[x] for x in pg.postorder(*fetches) if isinstance(x, pg.Placeholder)])
        expected = pg.Session(engine="numpy").run(fetches, feeds)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other, names)
            assert same_bits(one, other), names
    except Exception as error:
        error.add_note(names)
        raise


def same_bits(found: Any, expected: Any) -> bool:
    return np.asarray(found).tobytes() == np.asarray(expected).tobytes()
