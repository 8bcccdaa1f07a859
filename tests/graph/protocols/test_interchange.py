"""DLPack and what the array API's namespace says of itself."""

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, DTypeError


class Library:
    """An array of another library, of which only DLPack is known."""

    def __init__(self, x: Any, **options: Any) -> None:
        self.x, self.options = x, options

    def __dlpack__(self, **given: Any) -> Any:
        return self.x.__dlpack__(**({**given, **self.options} if self.options else {}))

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.x.__dlpack_device__()


def test_numpy_shares_the_memory_and_cannot_write():
    x = pg.tensor(np.arange(3.0))
    a = np.from_dlpack(x)
    assert np.shares_memory(a, x.numpy())
    assert not a.flags.writeable


def test_a_library_that_knows_no_read_only_memory_gets_a_copy():
    x = pg.tensor(np.arange(3.0))
    a = np.from_dlpack(Library(x))  # without max_version
    assert not np.shares_memory(a, x.numpy())
    np.testing.assert_array_equal(a, x.numpy())
    with pytest.raises(BufferError, match="read-only"):
        x.__dlpack__(copy=False)
    with pytest.raises(BufferError, match="device"):
        x.__dlpack__(dl_device=(2, 0))
    assert np.from_dlpack(Library(x, max_version=(1, 0), copy=True)).flags.writeable


def test_from_dlpack_shares_the_memory_of_contiguous_arrays():
    a = np.arange(6.0).reshape(2, 3)
    for source in (a, Library(a)):
        x: Any = pg.from_dlpack(source)
        assert np.shares_memory(x.numpy(), a)
        assert not x.numpy().flags.writeable
        assert (x * x).numpy().tolist() == (a * a).tolist()
    assert a.flags.writeable
    assert not np.shares_memory(pg.from_dlpack(a, copy=True).numpy(), a)
    assert pg.from_dlpack(a.T).numpy().flags.c_contiguous
    with pytest.raises(ValueError, match="contiguous"):
        pg.from_dlpack(a.T, copy=False)
    v = pg.Variable([1.0])
    assert pg.from_dlpack(v) is v


def test_what_is_no_array_in_main_memory_is_refused():
    with pytest.raises(ArgumentError, match="list has no __dlpack__"):
        pg.from_dlpack([1.0])
    with pytest.raises(ArgumentError, match="values are in main memory"):
        pg.from_dlpack(np.ones(2), device="cuda")


def test_limits_of_dtypes_are_python_numbers():
    info = pg.finfo(pg.float32)
    assert (info.bits, info.eps, type(info.eps), info.dtype) == (32, 2.0**-23, float, np.float32)
    assert pg.finfo(pg.tensor(np.ones(2))).max == np.finfo(np.float64).max
    assert (pg.iinfo("int8").min, pg.iinfo(np.ones(1, np.uint8)).max) == (-128, 255)
    for wrong in (lambda: pg.finfo("int8"), lambda: pg.iinfo("float32")):
        with pytest.raises(DTypeError):
            wrong()


@pytest.mark.parametrize(
    ("dtype", "kind", "answer"),
    [
        ("float32", "real floating", True),
        ("float32", "numeric", True),
        ("bool", "numeric", False),
        ("int8", ("bool", "integral"), True),
        ("uint8", "signed integer", False),
        ("float64", pg.float64, True),
        ("float64", (pg.float32, "unsigned integer"), False),
    ],
)
def test_isdtype(dtype, kind, answer):
    assert pg.isdtype(pg.tensor(np.ones(1, dtype)).dtype, kind) is answer


def test_promotion_can_be_asked_for():
    x = pg.tensor(np.ones(2, np.float32))
    assert pg.result_type(x, 1.5) == np.float32
    assert pg.result_type(x, "int64", np.ones(1)) == np.float64
    assert pg.result_type(1, True) == np.int64
    assert pg.result_type(pg.tensor(1.0), pg.Constant(2.0)) == np.float32
    assert pg.can_cast("int8", "int16")
    assert not pg.can_cast(x, "int64")
    with pytest.raises(ArgumentError, match="isdtype: kind"):
        pg.isdtype("bool", "nonsense")


def test_what_the_namespace_says_of_itself():
    info = pg.__array_namespace_info__()
    assert info.default_device() in info.devices()
    assert info.default_dtypes()["real floating"] == pg.default_dtype()
    assert info.default_dtypes(device="cpu")["integral"] == np.int64
    assert set(info.dtypes(kind="signed integer")) == {"int8", "int16", "int32", "int64"}
    assert info.capabilities()["max dimensions"] == 64
    assert pg.__array_api_version__ == "2024.12"
