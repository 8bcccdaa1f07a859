"""Over 20 graphs, more than 200 wrong answers with known kinds: their mistakes are named, and none
is accepted; right answers are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from playwright.sync_api import Page

import palingrad as pg
from chromium import Frames
from palingrad.graph.traversal.order import postorder
from view.lessons.graphs import GRAPHS, Facts
from view.lessons.wrong_answers import distinct, typed

KINDS = {"missing", "local", "sign", "transposed", "batch", "order", "rate", "forward"}
# Answers of which two kinds are true: x², the value of a square, is also the local derivative of
# x²·x; h, a value, is also the other factor of h W.
EITHER = {("polynomial", "∂L/∂x", "forward"), ("tied_weights", "∂L/∂W", "forward")}


class Judged(NamedTuple):
    """An answer and what the lesson said of it; `kind` is "right" for a right answer."""

    graph: str
    title: str
    kind: str
    text: str
    verdict: dict[str, Any]


def answers(facts: Facts) -> list[tuple[str, str]]:
    """Right and wrong answers with their kinds, as numbers and as formulas."""
    right = [("right", text) for text in (typed(facts.truth), *facts.right)]
    numbers = [(kind, typed(answer)) for kind, answer in distinct(facts)]
    return [
        *right,
        *numbers,
        *((kind, one) for kind, some in facts.formulas.items() for one in some),
    ]


@pytest.fixture(scope="module")
def judged(tab: Page, tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    """All answers to all questions on all graphs, judged in one tab."""
    found: list[Judged] = []
    folder = tmp_path_factory.mktemp("lessons")
    path, frames = folder / "lesson.html", Frames(tab, folder)
    for build in GRAPHS:
        loss, asked = build()
        pg.lesson(loss, list(asked), path)
        given = [
            (place, title, kind, text)
            for place, (title, facts) in enumerate(asked.items())
            for kind, text in answers(facts)
        ]
        frame = frames.show(path.read_text("utf-8"))
        script = "all => all.map(([place, , , text]) => lesson.judge(place, text))"
        for (_, title, kind, text), verdict in zip(
            given, frame.evaluate(script, given), strict=True
        ):
            found.append(Judged(build.__name__, title, kind, text, verdict))
    frames.check()
    return found


def test_right_answers_are_accepted_as_numbers_and_as_formulas(judged: list[Judged]):
    right = [one for one in judged if one.kind == "right"]
    assert len(right) > 70
    assert [one for one in right if not one.verdict["right"]] == []


def test_of_over_200_wrong_answers_none_is_accepted(judged: list[Judged]):
    wrong = [one for one in judged if one.kind != "right"]
    assert len(wrong) >= 200
    assert len(GRAPHS) == 20
    assert [one for one in wrong if one.verdict["right"] or one.verdict["kind"] == "right"] == []


def test_their_mistakes_are_named(judged: list[Judged]):
    wrong = [one for one in judged if one.kind != "right"]
    assert {one.kind for one in wrong} == KINDS
    misnamed = [one for one in wrong if one.verdict["kind"] != one.kind]
    assert len(misnamed) <= 0.05 * len(wrong), misnamed
    assert {one[:3] for one in misnamed} <= EITHER, misnamed
    figures = f"{len(wrong) - len(misnamed)} of {len(wrong)} labelled wrong answers"
    assert figures in (Path(__file__).parents[3] / "docs" / "lessons.md").read_text("utf-8")


@pytest.mark.tiny
def test_the_rules_make_labels_that_are_no_other_kinds():
    """The test of the test: labels are distinct, none is right, and paths and rows add up."""
    for build in GRAPHS:
        loss, asked = build()
        loss.backward()
        for title, facts in asked.items():
            names = {node.name: node for node in postorder(loss)}
            node = names[title.split("∂")[-1]]
            if node.grad is not None:
                np.testing.assert_allclose(facts.truth, node.grad.numpy(), rtol=1e-12)
            assert len({typed(answer) for _, answer in distinct(facts)}) == len(distinct(facts))
