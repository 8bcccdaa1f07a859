"""The page of a lesson: typing, hints, masks, large type, and what it doesn't give away."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import palingrad as pg
from chromium import Opened
from palingrad.view.lessons.formulas import equation
from palingrad.view.lessons.sealing import opened as unsealed, sealed

Make = Callable[..., Opened]
ASK = ["∂L/∂a", "∂L/∂b", "d"]


def small() -> pg.Node:
    a, b, c, f = (pg.Variable(x, name=n) for n, x in zip("abcf", (2.0, -3.0, 10.0, -2.0)))
    d = pg.add(pg.multiply(a, b, name="e"), c, name="d")
    return pg.add(d * f, pg.sin(a), name="L")


@pytest.fixture
def page(opened: Make) -> Opened:
    return opened(small(), ASK)


def verdict(page: Opened, number: int, text: str) -> dict[str, object]:
    return page.js("([number, text]) => lesson.answer(number, text)", [number, text])


def test_an_answer_is_typed_on_the_card_and_judged_on_enter(page: Opened):
    field = page.page.locator("#field0")
    field.fill("f*b")
    field.press("Enter")
    assert page.text("#feedback h3") == "A path is missing"
    assert "a → v₂" in page.text("#feedback")
    marked = page.js(
        "[...document.querySelectorAll('.lines path.marked')].map(e => e.dataset.edge)"
    )
    assert len(set(marked)) == 1
    assert page.text("#progress") == "0 of 3 right"
    field.fill("b f + cos(a)")
    field.press("Enter")
    assert page.text("#feedback h3") == "Right"
    assert page.text("#progress") == "1 of 3 right"
    assert page.page.locator(".lines path.marked").count() == 0


def test_hints_come_in_three_steps_and_then_the_answer(page: Opened):
    assert page.page.locator("#tell").is_hidden()
    for step in (1, 2, 3):
        page.page.click("#hint")
        assert page.page.locator(".hint").count() == step
    assert "a → e → d → v₁ → L" in page.text(".hint >> nth=0")
    assert "cos" in page.text(".hint >> nth=1")  # ∂L/∂e b + ∂L/∂v₂ cos a
    assert page.page.locator(".hint math mfrac").count() == 3
    assert "∂e/∂a = −3" in page.text(".hint >> nth=2")
    page.page.click("#tell")
    assert "∂L/∂a = 5.58385" in page.text(".answer")
    assert page.text("#progress") == "0 of 3 right"  # a told answer doesn't count


def test_what_is_asked_for_and_what_follows_from_it_is_masked_until_it_is_known(page: Opened):
    shown = "[...document.querySelectorAll('.card')].map(c => c.querySelector('.value').innerText)"
    before = dict(
        zip(page.js("[...document.querySelectorAll('.card')].map((_, k) => k)"), page.js(shown))
    )
    assert sorted(before.values()).count("?") == 3  # d, d·f and L
    assert "−6" in before.values()  # e is given
    assert verdict(page, 2, "4")["right"]
    assert "?" not in page.js(shown)


def test_all_values_are_masked_on_request(opened: Make):
    page = opened(small(), ["∂L/∂a"], values=False)
    assert page.js("document.querySelectorAll('.value.masked').length") == 5


def test_answers_are_neither_in_the_file_nor_in_the_document(opened: Make, tmp_path: Path):
    page = opened(small(), ["∂L/∂c", "∂L/∂b"], values=False)
    text = (tmp_path / "lesson0.html").read_text(encoding="utf-8")
    seal = re.search(r'id="data">([^<]+)<', text)
    assert seal is not None
    data = unsealed(seal[1])
    values = {node["n"]: node["v"]["f"] for node in data["nodes"]}
    assert values["L"] == pytest.approx([-8 + np.sin(2)])
    assert json.dumps(values["L"][0])[:8] not in text
    body = page.js("document.documentElement.outerHTML.split('<script>')[0]")
    assert json.dumps(values["L"][0])[:8] not in body
    assert page.js("document.getElementById('data')") is None


def test_sealing_is_undone_by_what_undoes_it():
    data = {"a": [1.5, "∂L/∂a", None], "b": {"c": "ħ" * 1000}}
    assert unsealed(sealed(data)) == data
    assert sealed(data) == sealed(data)
    assert "∂" not in sealed(data)


JUDGED = [
    (0, "5.58385", "right"),
    (0, "5.58", "right"),
    (0, "5.6", "right"),  # 0.3 % off, and rounded correctly
    (0, "5.59", "digits"),  # 0.1 % off, and no rounding
    (0, "6", "missing"),  # a rounding, but 7 % off
    (0, "6*1+cos(2)", "right"),
    (0, "6 + cos(a)", "coincidence"),  # only where f b is 6
    (1, "-4", "right"),
    (1, "-2*a", "coincidence"),
    (1, "a*f + 0*b", "right"),
    (1, "[-4]", "shape"),
    (1, "-0.4", "rate"),
    (1, "-2.6", "rate"),  # b after a step
    (2, "4", "right"),
    (2, "-2", "backward"),
    (2, "a*b + c", "right"),
    (2, "e", "other"),
]


def test_numbers_and_formulas(page: Opened):
    for number, text, kind in JUDGED:
        assert verdict(page, number, text)["kind"] == kind, text


UNREADABLE = [
    (0, "ab", "A product is written a*b"),
    (0, "q", "No card is named q. The names are a, b, e, c, d, f, v₁, v₂, L."),
    (0, "A*f", "No card is named A. Did you mean a? The names are a, b,"),
    (0, "b*f + v3", "No card is named v3. Did you mean v₁ or v₂?"),
    (0, "sine(a)", "No function is named sine. Did you mean sin or sinh? There"),
    (0, "sec(a)", "No function is named sec. There are sin, cos,"),
    (0, "1,5", "Write decimals with a point"),
    (0, "2*", "ends too early"),
    (0, "(a", "is missing"),
    (0, "∂L/∂a", "isn't known yet"),
    (0, "∂L/∂b", "isn't known yet"),
    (2, "d", "without d"),
    (2, "L/f", "without L"),
    (0, "", "Type a number"),
    (0, "sin(a, b)", "takes one argument"),
    (0, "a ? b", "can't be read"),
    (0, "[[1, 2], [3]]", "differ in length"),
    (0, "(" * 3000, "too long to be read"),
]


def test_what_can_t_be_read_is_answered_by_what_to_write(page: Opened):
    for number, text, says in UNREADABLE:
        found = verdict(page, number, text)
        assert (found["right"], found["kind"]) == (False, "unreadable"), text
        assert says in str(found["text"]), text


def test_e_and_pi_are_numbers_unless_a_card_has_the_name(page: Opened, opened: Make):
    assert verdict(page, 0, "e")["kind"] != "unreadable"  # the card e
    e, x = pg.Variable(2.0, name="e"), pg.Variable(1.5, name="x")
    y = pg.exp(e, name="L")
    power = opened(y, ["∂L/∂e"])
    assert "e‘e’" in "".join(power.js("document.querySelector('#graph, main').textContent").split())
    assert equation(y, {e: "e", y: "L"}) == "L = e^‘e’"
    page = opened(pg.multiply(pg.exp(2 * x), np.pi, name="L"), ["∂L/∂x"])
    for text in ("2*pi*e^(2x)", "2π exp(2*x)", "2*π*ℯ**(2*x)", "2*pi*e^3", "2*L"):
        assert verdict(page, 0, text)["right"], text
    assert not verdict(page, 0, "pi*e^(2x)")["right"]
    assert verdict(page, 0, "2*pi*e^(2*1.5)*x/1.5")["kind"] == "coincidence"


def test_equal_names_are_numbered_on_the_cards_and_in_advice(opened: Make):
    a, b = pg.Variable(2.0, name="a"), pg.Variable(3.0, name="a")
    page = opened(pg.multiply(a, pg.sin(b), name="L"), ["∂L/∂a_1"])
    assert verdict(page, 0, "sin(a_2)")["right"]
    assert "Did you mean a_1 or a_2?" in str(verdict(page, 0, "sin(a)")["text"])


FITTING = [  # for W̄ = Xᵀ Ȳ, X (3, 2), Y (3, 4)
    ("X.T @ (2*Y)", "right", ""),
    ("X @ (2*Y)", "misfit", "X has shape (3, 2) and the factor on the right has shape (3, 4)"),
    ("X @ (2*Y)", "misfit", "here 2 and 3. One of the two must be transposed."),
    ("2*Y @ X.T", "misfit", "and Xᵀ has shape (2, 3); a product @ needs as many columns"),
    ("2*Y @ X.T", "misfit", "In another order they do. The answer has shape (2, 4)."),
    ("2*Y.T @ X", "transposed", "rows and columns are exchanged"),
    ("W @ X", "misfit", "W has shape (2, 4) and X has shape (3, 2)"),
]


def test_products_whose_shapes_do_not_fit_are_answered_by_the_shapes(opened: Make):
    x, w = (
        pg.tensor(np.arange(6.0).reshape(3, 2) - 2, name="X"),
        pg.Variable(np.arange(8.0).reshape(2, 4) / 4, name="W"),
    )
    page = opened(pg.sum(pg.square(pg.matmul(x, w, name="Y")), name="L"), ["∂L/∂W"])
    for text, kind, says in FITTING:
        found = verdict(page, 0, text)
        assert found["kind"] == kind, text
        assert says in str(found["text"]), (text, found["text"])
        assert found["right"] is (kind == "right")
    assert "must be transposed" not in str(verdict(page, 0, "W @ X")["text"])


def test_a_derivative_that_is_known_may_be_used_in_another(page: Opened):
    assert verdict(page, 1, "a*f")["right"]
    assert verdict(page, 0, "dL/db*b/a + cos(a)")["right"]


def test_a_bias_of_zeros_is_varied_too(opened: Make):
    """Zeros have no sign to keep: without other values of b, w + b would pass for ∂L/∂b = w."""
    w, b = pg.Variable(3.0, name="w"), pg.Variable(0.0, name="b")
    page = opened(pg.multiply(b, w, name="L"), ["∂L/∂b"])
    assert verdict(page, 0, "w + b")["kind"] == "coincidence"
    assert verdict(page, 0, "w")["right"]


def test_a_constant_may_be_typed_as_its_name_or_its_number(opened: Make):
    w, k = pg.Variable(3.0, name="w"), pg.tensor(2.0, name="k")
    page = opened(pg.multiply(k, pg.square(w), name="L"), ["∂L/∂w"])
    for text in ("2*k*w", "4*w", "2*2*w", "12"):
        assert verdict(page, 0, text)["right"], text
    assert verdict(page, 0, "k*k*w")["kind"] == "coincidence"


def test_two_mistakes_are_recognised_if_one_is_a_factor(page: Opened):
    found = verdict(page, 0, "-f*b")
    assert found["kind"] == "missing"
    assert "Besides, it is multiplied by −1." in str(found["text"])
    assert verdict(page, 0, "5*(f*b + cos(a))")["text"] == "This is 5 times the answer."
    assert verdict(page, 0, "f*b*sin(c)")["kind"] == "unknown"


def test_present_shows_one_question_in_large_type(opened: Make):
    page = opened(small(), ASK, address="#present")
    size = "element => parseFloat(getComputedStyle(element).fontSize)"
    assert page.page.locator(".question h2").evaluate(size) >= 40
    assert page.page.locator("#feedback").evaluate(size) >= 20
    page.page.keyboard.press("n")
    assert page.text(".question h2") == "∂L/∂b"
    page.page.keyboard.press("h")
    assert page.page.locator(".hint").count() == 1
    page.page.keyboard.press("Escape")
    assert page.page.locator(".question h2").evaluate(size) < 30


def test_cards_hold_their_texts_and_fit_a_phone(opened: Make):
    x = np.array([[0.5, -1.0], [1.2, 0.4], [-0.7, 0.9]])
    w = pg.Variable(np.array([[0.3, -0.61234567], [0.8, 0.7]]), name="W")
    h = pg.tanh(pg.matmul(pg.tensor(x, name="X"), w, name="Z") / 3.0, name="H")
    page = opened(pg.mean(pg.square(h), name="L"), ["∂L/∂W", "∂L/∂H", "H"])
    assert page.js(OUTSIDE) == 0
    page.page.set_viewport_size({"width": 390, "height": 844})
    assert page.js("document.documentElement.scrollWidth") == 390
    assert page.js(SMALLEST) > 11
    page.page.set_viewport_size({"width": 1440, "height": 900})


OUTSIDE = """[...document.querySelectorAll(".card")].filter((card) =>
    card.scrollWidth > card.clientWidth + 1 || card.scrollHeight > card.clientHeight + 1).length"""
SMALLEST = """Math.min(...[...document.querySelectorAll(".card *")].map((one) =>
    parseFloat(getComputedStyle(one).fontSize)))
    * graph.getBoundingClientRect().width / graph.offsetWidth"""
