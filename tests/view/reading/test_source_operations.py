"""Every operation, and its gradient, written out with NumPy alone gives the engine's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from battery import shipped
from cases import Case, slopes_of
from tolerances import assert_close
from view.reading.written import Folder


def programs() -> list[tuple[str, Case]]:
    return [
        (f"{operation.__name__} {sample.text}", Case(operation, sample))
        for operation in shipped()
        for sample in operation.samples
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_operation_on_every_sample(tmp_path, dtype):
    folder = Folder(tmp_path)
    bits = total = 0
    for name, case in programs():
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
