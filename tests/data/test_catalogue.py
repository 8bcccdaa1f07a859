"""The data sets by name."""

from __future__ import annotations

import pytest

from palingrad.data import describe, load, names
from palingrad.errors import DataError

pytestmark = pytest.mark.tiny


def test_names():
    assert names() == ("digits", "mnist", "fashion-mnist")


@pytest.mark.parametrize("name", names())
def test_each_is_described_in_a_line(name):
    line = describe(name)
    assert "pixels" in line
    assert "\n" not in line
    assert len(line) < 100


def test_a_name_may_be_written_with_underscores_and_capitals(tmp_path):
    assert load("Digits").name == "digits"
    with pytest.raises(DataError, match="doesn't contain Fashion-MNIST"):
        load("fashion_mnist", folder=tmp_path)


def test_digits_need_no_folder(tmp_path):
    assert load("digits", folder=tmp_path / "absent").name == "digits"


def test_an_unknown_name_gets_a_suggestion():
    words = (
        r"unknown data set 'minst'; available: digits, mnist, fashion-mnist\. Did you mean 'mnist'"
    )
    with pytest.raises(DataError, match=words):
        load("minst")
    with pytest.raises(DataError, match=r"unknown data set 'imagenet'; available: .*mnist\.$"):
        describe("imagenet")
