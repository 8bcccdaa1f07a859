"""The idx format: what is written comes back, and whatever is broken is named."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from palingrad.data import read_idx
from palingrad.data.idx import decode, unzipped
from palingrad.errors import DataError

pytestmark = pytest.mark.tiny

DTYPES = st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8"]).map(np.dtype)
ARRAYS = hnp.arrays(DTYPES, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))


@given(array=ARRAYS, zipped=st.booleans())
def test_an_array_comes_back_as_it_was_written(array, zipped, encode):
    content = encode(array)
    result = decode(unzipped(gzip.compress(content) if zipped else content))
    np.testing.assert_array_equal(result, array, strict=True)
    assert result.dtype.isnative
    assert not result.flags.writeable


@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda rest: b"\0\0\x08\x01" + rest))
def test_any_bytes_make_an_array_or_a_data_error(content):
    try:
        assert decode(unzipped(content)).ndim >= 1
    except DataError:
        pass


@pytest.mark.parametrize("zipped", [False, True])
def test_a_file_cut_short_anywhere_is_refused(encode, zipped):
    content = encode(np.arange(12, dtype=np.uint8).reshape(3, 4))
    content = gzip.compress(content) if zipped else content
    for length in range(len(content)):
        with pytest.raises(DataError, match=r"truncated|isn't an IDX file"):
            decode(unzipped(content[:length]))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"it isn't an IDX file: it starts with b''"),
        (b"<!DOCTYPE html>", r"it isn't an IDX file: it starts with b'<!DOCTYP'"),
        (b"\0\0\x07\x01\0\0\0\0", r"it isn't an IDX file: dtype code 0x07 is unknown"),
        (b"\0\0\x08\0", r"it isn't an IDX file"),
        (b"\0\0\x08\x02\0\0", r"it is truncated in its header, after 6 bytes"),
        (b"\0\0\x08\x01\0\0\0\x03ab", r"it is truncated: shape \(3,\) of uint8 needs 3 .* are 2"),
        (b"\0\0\x08\x01\0\0\0\x01ab", r"it is too long: shape \(1,\) of uint8 needs 1 .* are more"),
        (b"\0\0\x08\x20" + b"\xff" * 128, r"it is truncated"),
    ],
)
def test_broken_content_says_what_is_wrong(content, words):
    with pytest.raises(DataError, match=words):
        decode(content)


def test_a_flipped_bit_fails_gzip_s_checksum(encode):
    zipped = bytearray(gzip.compress(encode(np.zeros(1000, np.uint8))))
    zipped[-8] ^= 1  # in the checksum
    with pytest.raises(DataError, match="its gzip data is corrupt or truncated"):
        unzipped(bytes(zipped))


def test_no_more_is_decompressed_than_the_header_asks_for():
    bomb = gzip.compress(b"\0\0\x08\x01\0\0\0\x03" + bytes(10**7), 1)
    assert len(unzipped(bomb)) <= 4 + 4 * 32 + 1  # the longest header, and a byte
    with pytest.raises(DataError, match=r"too long: shape \(3,\) of uint8 needs 3 .* are more"):
        decode(unzipped(bomb))


def test_a_header_that_asks_for_more_than_gzip_can_hold_is_refused_at_once():
    lie = gzip.compress(b"\0\0\x0e\x02" + b"\x7f\xff\xff\xff" * 2)
    with pytest.raises(DataError, match=r"truncated: its header asks for 36,893,.* bytes"):
        unzipped(lie)


def test_a_shape_that_numpy_has_not_is_refused():
    with pytest.raises(DataError, match=r"NumPy can't make an array of shape \(0, 4294967295, "):
        decode(b"\0\0\x08\x04" + bytes(4) + b"\xff" * 12)


def test_a_file_is_read_gzipped_or_not_whatever_its_name(tmp_path: Path, encode):
    array = np.arange(6, dtype=np.int16).reshape(2, 3)
    (tmp_path / "plain.gz").write_bytes(encode(array))
    (tmp_path / "zipped").write_bytes(gzip.compress(encode(array)))
    np.testing.assert_array_equal(read_idx(tmp_path / "plain.gz"), array, strict=True)
    np.testing.assert_array_equal(read_idx(str(tmp_path / "zipped")), array, strict=True)


def test_errors_name_the_file(tmp_path: Path):
    file = tmp_path / "broken"
    file.write_bytes(b"nonsense")
    with pytest.raises(DataError, match=r"broken: it isn't an IDX file: .* Download the file"):
        read_idx(file)
    with pytest.raises(
        DataError, match=r"absent: it can't be read \(No such file.* Check the path"
    ):
        read_idx(tmp_path / "absent")
