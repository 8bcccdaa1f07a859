"""pg.source of every operation and its gradient gives the numpy engine's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.proof import shipped
from palingrad.proof.case import Case, slopes_of
from tolerances import assert_close
from view.reading.written import Folder

DTYPES = (np.float32, np.float64)


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
    folder = Folder(tmp_path)
    bits = total = 0
    for name, case in programs(dtype):
        arrays = case.arrays(dtype)
        with pg.Graph():
            xs = [pg.placeholder(a.shape, dtype=a.dtype) for a in arrays]
            ys = case.outputs(*xs)
            fetches = [*ys, *slopes_of(xs, ys, [*xs, *ys])]
        feeds = dict(zip(xs, arrays, strict=True))
        try:
            run = folder.load(pg.source(fetches, name="run"))["run"]
            found = run(
                *[feeds[x] for x in pg.postorder(*fetches) if isinstance(x, pg.Placeholder)]
            )
        except Exception as error:
            error.add_note(name)
            raise
        expected = pg.Session(engine="numpy").run(fetches, feeds)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other, name)
            total += 1
            bits += same_bits(one, other)
    assert bits == total
    folder.check()


def same_bits(found: Any, expected: Any) -> bool:
    return np.asarray(found).tobytes() == np.asarray(expected).tobytes()
