"""Each wrong program raises an error that names the culprit, its line and what to write instead;
and with that written, the program runs.

The programs are the data in the *.txt files of this folder; `programs.py` explains their form.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

import palingrad as pg

from .programs import PROGRAMS, Wrong, answer, run

every = pytest.mark.parametrize(
    "wrong", [pytest.param(wrong, id=f"{wrong.file}: {wrong.mistake}") for wrong in PROGRAMS]
)


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch) -> Iterator[None]:
    """Each program runs in an empty folder, on one engine, with warnings as errors."""
    threads = pg.get_num_threads()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PALINGRAD_DATA", raising=False)
    pg.set_engine("numpy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    pg.set_num_threads(threads)


@every
def test_the_error_says_what_is_wrong_and_where_and_what_to_write(wrong: Wrong):
    given = answer(wrong)
    assert type(given.error).__name__ == wrong.error, given.text
    for text in (*wrong.names, *wrong.suggests):
        assert (text[1:-1] if text.startswith("(") else text) in given.text
    assert wrong.number in given.lines, f"line {wrong.number} isn't shown: {given.text}"


@every
def test_with_what_it_suggests_the_program_runs(wrong: Wrong):
    assert run(wrong, wrong.mended) == eval(wrong.result)


@every
def test_what_is_suggested_is_what_mends_it(wrong: Wrong):
    """Advice in words, in parentheses, can't be found in the program."""
    for text in wrong.suggests:
        if not text.startswith("("):
            assert text.replace("'", '"') in wrong.instead.replace("'", '"'), text


def test_there_are_enough_and_most_get_code():
    assert len({wrong.mistake for wrong in PROGRAMS}) == len(PROGRAMS) >= 300
    assert all(wrong.names and wrong.suggests for wrong in PROGRAMS)
    in_words = [wrong for wrong in PROGRAMS if wrong.suggests[0].startswith("(")]
    assert len(in_words) < len(PROGRAMS) / 6
