"""Generated tokens: those of the model run anew on the whole text, drawn from its distribution."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, DTypeError, ShapeError
from palingrad.models.generate import _MOST, _compiled

pytestmark = pytest.mark.tiny

PROMPT = np.array([[1, 2, 3], [4, 0, 4]])
MODELS = [
    pg.models.gpt(5, context=16, layers=2, heads=2, width=8, seed=3),
    pg.models.char_rnn(5, width=8, layers=2, seed=3),
]


@pytest.fixture(params=[0, 1], ids=["gpt", "char_rnn"])
def model(request):
    return MODELS[request.param]


def scores(model, text):
    """Those of the token that follows, computed from the whole text."""
    return model(text).numpy()[:, -1].astype(np.float64)


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_greedy_tokens_are_the_likeliest_after_the_whole_text(model, engine):
    text = PROMPT
    for _ in range(9):
        text = np.concatenate([text, scores(model, text).argmax(-1)[:, None]], axis=1)
    found = pg.models.generate(model, PROMPT, 9, temperature=0, engine=engine)
    np.testing.assert_array_equal(found, text[:, 3:])


@pytest.mark.parametrize("drawn", [False, True])
def test_all_tokens_are_written_in_one_native_call_and_caches_in_place(drawn):
    model = MODELS[0]
    pg.models.generate(model, PROMPT, 9, temperature=float(drawn), engine="native")
    compiled = _compiled(model)[9, drawn, None, "native"]
    text = " ".join(compiled.explain(PROMPT, np.zeros((9, 2)), 0.0).split())
    assert "within one native call; 4 carries change in place" in text


@pytest.mark.parametrize("top_k", [None, 2])
def test_tokens_have_the_model_s_distribution(model, top_k):
    batch = np.repeat(PROMPT[:1], 4000, axis=0)
    found = pg.models.generate(model, batch, 2, temperature=0.7, top_k=top_k, seed=5)
    likely = np.bincount(found[:, 0]).argmax()
    after = np.append(PROMPT[:1], [[likely]], axis=1)  # the text of the rows that began with it
    for before, token in [(PROMPT[:1], found[:, 0]), (after, found[found[:, 0] == likely, 1])]:
        wanted = scores(model, before)[0] / 0.7
        if top_k:
            wanted[np.argsort(wanted)[:-top_k]] = -np.inf
        wanted = np.exp(wanted - wanted.max())
        wanted /= wanted.sum()
        shares = np.bincount(token, minlength=5) / len(token)
        np.testing.assert_allclose(shares, wanted, atol=5 * np.sqrt(0.25 / len(token)))
        assert (shares[wanted == 0] == 0).all()


def test_the_seed_fixes_the_tokens(model):
    first, again, other = (pg.models.generate(model, PROMPT, 9, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    # draws are by position, so a shorter text is the beginning of a longer one
    np.testing.assert_array_equal(pg.models.generate(model, PROMPT, 4, seed=1), first[:, :4])


def test_a_trained_or_copied_model_isn_t_answered_by_an_old_program():
    model = pg.models.char_rnn(5, width=8, seed=3)
    before = pg.models.generate(model, PROMPT, 6, temperature=0)
    other = copy.deepcopy(model)
    for one in (model, other):
        for variable in one.parameters().values():
            variable.assign(-variable)
    for one in (other, model):
        text = PROMPT
        for _ in range(6):
            text = np.concatenate([text, scores(one, text).argmax(-1)[:, None]], axis=1)
        found = pg.models.generate(one, PROMPT, 6, temperature=0)
        np.testing.assert_array_equal(found, text[:, 3:])
        assert (found != before).any()
        one.head.bias.assign([9.0, 0, 0, 0, 0])


def test_no_tokens_and_wrong_arguments():
    gpt = MODELS[0]
    assert pg.models.generate(gpt, PROMPT, 0).shape == (2, 0)
    assert pg.models.generate(gpt, PROMPT, 14).shape == (2, 14)  # the last isn't read again
    with pytest.raises(ArgumentError, match=r"3 \+ 15 tokens don't fit .* of 16.*count=14"):
        pg.models.generate(gpt, PROMPT, 15)
    with pytest.raises(ShapeError, match=r"a prompt is \(batch, time ≥ 1\), got \(3,\)"):
        pg.models.generate(gpt, PROMPT[0], 3)
    with pytest.raises(DTypeError, match=r"a prompt is .*float64.*; expected integers"):
        pg.models.generate(gpt, PROMPT * 1.0, 3)
    with pytest.raises(ArgumentError, match="generate: top_k is 0"):
        pg.models.generate(gpt, PROMPT, 3, top_k=0)


def test_temperatures_share_a_program_and_few_programs_are_kept():
    """A server's clients choose these numbers: each must not compile or keep anything anew."""
    model = pg.models.char_rnn(7, width=4, layers=1)
    prompt = np.array([[1, 2]])
    for temperature in np.linspace(0.5, 2, 20):
        pg.models.generate(model, prompt, 3, temperature=temperature)
    assert len(_compiled(model)) == 1
    for count in range(1, 25):
        pg.models.generate(model, prompt, count)
    assert len(_compiled(model)) == _MOST
