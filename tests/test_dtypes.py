"""Questions about dtypes, by name."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad import dtypes
from palingrad.dtypes import (
    as_dtype,
    is_boolean,
    is_complex,
    is_floating,
    is_inexact,
    is_integer,
    is_signed,
    is_supported,
    is_unsigned,
)
from tolerances import assert_same

QUESTIONS = {
    is_floating: "efd",
    is_inexact: "efdFD",
    is_complex: "FD",
    is_integer: "bhiqBHIQ",
    is_signed: "bhiq",
    is_unsigned: "BHIQ",
    is_boolean: "?",
    is_supported: "?bhiqBHIQefdFD",
}
EVERY = [np.dtype(code) for code in "?bhiqBHIQefdFDOSUMm"]


@pytest.mark.tiny
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered_for_every_dtype(question):
    yes = {np.dtype(code) for code in QUESTIONS[question]}
    assert {dtype for dtype in EVERY if question(dtype)} == yes
    assert all(question(dtype.newbyteorder("S")) for dtype in yes)
    assert not question(None)


@pytest.mark.tiny
def test_the_questions_are_those_of_numpy():
    for dtype in EVERY:
        assert is_floating(dtype) == np.issubdtype(dtype, np.floating)
        assert is_inexact(dtype) == np.issubdtype(dtype, np.inexact)
        integer = np.issubdtype(dtype, np.integer) and dtype.kind != "m"
        assert is_integer(dtype) == integer


def test_nobody_asks_by_letter():
    root = Path(pg.__file__).parent
    letters = re.compile(r"""\.kind (==|!=|in|not in) ["'][biufc]+["']""")
    # pg.source copies functions of these into modules that have NumPy and SciPy alone.
    copied = {root / "sums.py", root / "maths" / "numpy.py"}
    copied |= set((root / "maths" / "matrices").glob("*.py"))
    for path in sorted(root.rglob("*.py")):
        if path not in {Path(dtypes.__file__), *copied}:
            assert not letters.search(path.read_text()), path


@pytest.mark.parametrize("order", "=<>")
def test_a_dtype_is_the_one_object_that_arrays_have(order):
    for dtype in map(np.dtype, (bool, np.int32, np.float32, np.float64, np.complex64)):
        assert as_dtype(dtype.newbyteorder(order)) is np.zeros(1, dtype).dtype
        assert pg.placeholder((), dtype=dtype.name).dtype is np.zeros(1, dtype).dtype


class Exported:
    """An array of another library, which exports DLPack only."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


def test_arrays_by_dlpack_keep_their_dtype():
    x = Exported(np.array([0.1, 2.0]))
    for node in (pg.tensor(x), pg.Variable(x), pg.add(x, 0.0)):
        assert_same(node.numpy(), x.array)
    assert_same(pg.function(pg.negative)(x), -x.array)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_python_floats_become_the_default_float(dtype: str) -> None:
    numbers = [0.0, -0.0, 0.1, 1 / 3, -2.5, 1e-8, 1e-45, 5e-324, 59_999.9, -59_999.9, 2048.5001]
    pg.set_default_dtype(dtype)
    try:
        for number in numbers:
            found = dtypes.as_array(number, copy=True)
            assert found.dtype == dtype
            assert found.tobytes() == np.array(number).astype(dtype).tobytes()
    finally:
        pg.set_default_dtype("float32")
