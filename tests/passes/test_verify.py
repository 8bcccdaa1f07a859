"""The verifier catches a broken pass, in tests only."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad.graph.traversal.verify import verify
from palingrad.ops.elementwise.arithmetic import Multiply
from palingrad.passes import pipeline
from palingrad.passes.expand import expand
from palingrad.passes.fold_constants import fold
from palingrad.passes.pipeline import optimise
from palingrad.passes.program import Program
from palingrad.passes.simplify import RULES, simplify
from programs import program_of

X = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]])


def retyped(program: Program) -> Program:
    """A broken pass: the result stays the same node but says another dtype."""
    node = program.outputs[0].rebuild(program.outputs[0].inputs)  # pyright: ignore
    node._dtype = np.dtype(np.float16)
    return Program(program.feeds, (node,), program.updates)


def reshaped(program: Program) -> Program:
    node = program.outputs[0].rebuild(program.outputs[0].inputs)  # pyright: ignore
    node._shape = (7, 7)
    return Program(program.feeds, (node,), program.updates)


def vague(program: Program) -> Program:
    return Program(program.feeds, (pg.exp(pg.placeholder()),), program.updates)


def in_place(program: Program) -> Program:
    """A broken pass: it changes a node that was verified before and returns the same Program."""
    program.outputs[0]._shape = (7, 7)
    return program


def composite(program: Program) -> Program:
    with pg.Graph():
        node = pg.softmax(pg.placeholder((2,), dtype=pg.float32))
    return Program(program.feeds, (node,), program.updates)


def backdated(program: Program) -> Program:
    """A broken pass: searches for what depends on a node would stop at this one."""
    node = program.outputs[0].rebuild(program.outputs[0].inputs)  # pyright: ignore
    node._serial = node.inputs[0]._serial
    return Program(program.feeds, (node,), program.updates)


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (retyped, "broke its rule"),
        (reshaped, "broke its rule"),
        (in_place, "broke its rule"),
        (vague, "isn't concrete"),
        (composite, "should be gone by now"),
        (backdated, "is older than its inputs"),
    ],
)
def test_the_verifier_catches_a_broken_pass(monkeypatch, broken, words):
    monkeypatch.setattr(pipeline, "PASSES", (expand, broken, fold))
    with pytest.raises(AssertionError, match=words):
        optimise(program_of(lambda x: pg.exp(x) * 2.0, X))
    monkeypatch.setenv("PALINGRAD_VERIFY", "0")
    optimise(program_of(lambda x: pg.exp(x) * 2.0, X))  # only tests pay for it


def test_the_verifier_knows_inputs_that_come_too_late():
    x = pg.tensor(1.0)
    y = x * 2.0
    verify([y])
    with pytest.raises(AssertionError, match="should be gone"):
        verify([y], forbidden=(pg.Operation,))


def test_a_rewrite_that_changes_shape_or_dtype_is_caught_at_once(monkeypatch):
    monkeypatch.setitem(RULES, Multiply, lambda z, x, y: pg.sum(x))
    with pytest.raises(AssertionError):
        simplify(program_of(lambda x: x * 3.0, X))
