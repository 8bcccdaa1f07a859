"""Wrong derivative rules are caught: some of all mutants here, all of them by `make mutate`."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

from mutation.memory import remembering
from mutation.mutants import mutants
from mutation.results import equivalent, read, text_of, unexplained
from mutation.rules import Rule, rules
from mutation.run import outcome
from mutation.survivors import SURVIVORS

RULES = rules()
EVERY = 180  # of all mutants, one is tried here


def chosen() -> list[tuple[Rule, float]]:
    """Every so many-th mutant that was counted, of the rules that one operation or a few use: the
    rule, and how far among its mutants it is. They are made in the test: to make all takes longer
    than to collect all tests."""
    known = read()
    all_of_them = [
        (rule, number / count)
        for rule in RULES
        if len(rule.operations) < 9 and rule.key in known
        for count in [sum(known[rule.key].made.values())]
        for number in range(count)
    ]
    return all_of_them[7::EVERY]


@pytest.mark.parametrize(
    ("rule", "part"), chosen(), ids=lambda one: one.key if isinstance(one, Rule) else f"{one:.0%}"
)
def test_a_wrong_rule_is_caught(rule, part):
    made = mutants(rule.tree)
    mutant = made[int(part * len(made))]
    explained = f"{mutant.kind}: {mutant.what}" in SURVIVORS.get(rule.key, {})
    assert outcome(rule, mutant) or explained, f"{rule.key}: {mutant.what}"


def test_the_counts_are_those_of_the_rules_as_they_are():
    known = read()
    now = {rule.key: text_of(rule) for rule in RULES}
    counted = {name: one.text for name, one in known.items()}
    assert now == counted, "run `make mutate`, or `cd tests && python -m mutation --changed`"
    assert unexplained(known) == []


def test_almost_all_are_caught():
    known = read()
    made = sum(sum(one.made.values()) for one in known.values())
    caught = sum(sum(one.caught.values()) for one in known.values())
    assert caught >= 0.95 * (made - equivalent(known))


def test_rules_are_found_with_their_helpers():
    keys = {rule.key: rule for rule in RULES}
    assert {"arithmetic.Divide.d", "arithmetic._base_slope", "reduce._before"} <= keys.keys()
    assert {"move.PermuteDims.order", "axes.restored", "reverse.unbroadcast"} <= keys.keys()
    assert {one.__name__ for one in keys["reduce.Extreme.vjp"].operations} == {"Max", "Min"}


def found(text: str) -> set[tuple[str, str]]:
    """Kinds and texts of the mutants of a function."""
    tree = ast.parse(text).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return {(one.kind, ast.unparse(one.tree).splitlines()[-1].strip()) for one in mutants(tree)}


def test_mutants_are_what_someone_might_get_wrong():
    ways = found("def vjp(z, g, x, y):\n    return [g @ y.mT, lambda: ops.sum(x - y, axis=-1)]")
    second = "lambda: ops.sum(x - y, axis=-1)]"
    first = "return [g @ y.mT, lambda: "
    assert {
        ("sign", f"return [-(g @ y.mT), {second}"),
        ("factor", f"return [2 * (g @ y.mT), {second}"),
        ("dropped", f"return [None, {second}"),
        ("swapped", f"return [y.mT @ g, {second}"),
        ("transpose", f"return [g @ y, {second}"),
        ("second order", f"return [g @ __stop__(y).mT, {second}"),
        ("dtype", f"return [__narrow__(g @ y.mT), {second}"),
        ("sign", f"{first}ops.sum(x + y, axis=-1)]"),
        ("dropped", f"{first}ops.sum(x, axis=-1)]"),
        ("sum", f"{first}x - y]"),
        ("sum", f"{first}__ops__.mean(x - y, axis=-1)]"),
        ("axis", f"{first}ops.sum(x - y, axis=0)]"),
        ("swapped", "return [lambda: ops.sum(x - y, axis=-1), g @ y.mT]"),
    } <= ways


def test_slices_comparisons_and_branches_are_changed():
    ways = found("def d(y, x):\n    return [ops.where(x > 0, x[1:], 0.5)]")
    assert {
        ("comparison", "return [ops.where(x >= 0, x[1:], 0.5)]"),
        ("comparison", "return [ops.where(x < 0, x[1:], 0.5)]"),
        ("off by one", "return [ops.where(x > 0, x[1 + 1:], 0.5)]"),
        ("branch", "return [x[1:]]"),
        ("factor", "return [ops.where(x > 0, x[1:], 0.75)]"),
    } <= ways


def test_shapes_and_comparisons_have_no_derivative_to_lose():
    ways = found("def vjp(y, g, x):\n    return [ops.where(x > 0, ops.reshape(g, x.shape), 0)]")
    assert not [text for _, text in ways if "__stop__(x)" in text]


def test_special_functions_are_computed_once_for_arguments_that_agree_to_the_bit():
    calls: list[tuple[Any, ...]] = []
    f = remembering(lambda *x: calls.append(x) or np.array(x[0] + x[1]))
    x = np.array([0.0, 1.0])
    first = f(x, 2)
    first[0] = 7  # a copy
    assert f(x.copy(), 2).tolist() == [2, 3]
    assert len(calls) == 1
    others = ((-x, 2), (x, 3), (x, 2.0), (x.astype(np.float32), 2), (x[:, None], 2), (x[::-1], 2))
    for other in others:
        f(*other)
    assert len(calls) == 1 + len(others)
    many = np.ones(1000)
    for _ in range(2):
        f(many, 2)
    assert len(calls) == 3 + len(others)
    negated = remembering(np.negative)
    assert [str(negated(zero)) for zero in (0.0, -0.0)] == ["-0.0", "0.0"]


def test_every_rule_is_as_it_was_afterwards():
    rule = next(rule for rule in RULES if rule.key == "axes.restored")
    before = rule.function
    assert outcome(rule, mutants(rule.tree)[0])
    assert rule.module.restored is before
