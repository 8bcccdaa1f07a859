"""What a step changes and what it leaves alone, in each of the three styles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import GradientError
from palingrad.io import load_checkpoint, restore, save_checkpoint
from palingrad.optim import AdaGrad, Adam, AdamW, GradientDescent, Momentum, Optimizer, RMSProp
from tolerances import assert_close

pytestmark = pytest.mark.tiny


# ---------------------------------------------------------------- which Variables change


@pytest.mark.parametrize("optimizer", [GradientDescent, Momentum, AdaGrad, RMSProp, Adam, AdamW])
def test_only_trainable_variables_of_floats_change(optimizer):
    weight, frozen = pg.Variable(2.0), pg.Variable(3.0, trainable=False)
    whole, other = pg.Variable(5), pg.Variable(7.0)  # integers, and nothing the loss depends on
    with pytest.warns(RuntimeWarning, match=r"variable is int64 .* and isn't trained: only floats"):
        optimizer(0.1).minimize(weight * frozen * whole)
    optimizer(0.1).minimize(weight * frozen * whole)  # warns once
    assert weight.item() < 2
    assert (frozen.item(), whole.item(), other.item()) == (3, 5, 7)


def test_the_given_variables_change_and_no_others():
    u, v = pg.Variable(1.0), pg.Variable(1.0)
    GradientDescent(0.25).minimize(u * v, [u])
    assert (u.item(), v.item()) == (0.75, 1)


def test_variables_are_given_alone_in_a_list_or_by_name():
    for given in (lambda v: v, lambda v: [v], lambda v: iter([v]), lambda v: {"v": v}):
        v = pg.Variable(1.0)
        GradientDescent(0.25).minimize(v * 2, given(v))
        assert v.item() == 0.5


def test_of_the_given_variables_those_that_are_not_trainable_stay():
    weight, frozen = pg.Variable(1.0), pg.Variable(2.0, trainable=False)
    GradientDescent(0.25).minimize(weight * frozen, [weight, frozen])
    assert (weight.item(), frozen.item()) == (0.5, 2)


def test_a_given_variable_that_the_loss_does_not_depend_on_stays():
    u, v = pg.Variable(1.0), pg.Variable(1.0)
    GradientDescent(0.25).minimize(u * 2, [u, v])
    assert (u.item(), v.item()) == (0.5, 1)


def test_a_variable_given_twice_takes_one_step():
    v = pg.Variable(1.0)
    GradientDescent(0.25).minimize(v * 2, [v, v])
    assert v.item() == 0.5


def test_gradients_can_be_changed_between_taking_and_applying_them():
    u, v = pg.Variable(1.0), pg.Variable(1.0)
    optimizer = GradientDescent(0.5)
    found = optimizer.gradients(u * 2 + v)
    assert list(found) == [u, v]
    optimizer.apply({variable: -g for variable, g in found.items()})
    assert (u.item(), v.item()) == (2, 1.5)


def test_variables_of_several_dtypes_keep_theirs():
    narrow, wide = pg.Variable(np.float32(1)), pg.Variable(np.float64(1))
    Adam(0.1).minimize(narrow * wide)
    assert (narrow.dtype, wide.dtype) == (pg.float32, pg.float64)
    assert_close(narrow.numpy(), np.float32(0.9))
    assert wide.item() == pytest.approx(0.9, rel=1e-7)


def test_one_optimizer_can_serve_two_losses():
    u, v = pg.Variable(1.0), pg.Variable(1.0)
    optimizer = Momentum(0.5, momentum=0.5)
    optimizer.minimize(u + 0)
    optimizer.minimize(v + 0)
    optimizer.minimize(u + 0)  # u's velocity is its own: 1, then 0.5 + 1
    assert (u.item(), v.item(), optimizer.steps.item()) == (-0.25, 0.5, 3)


# ---------------------------------------------------------------- graphs and functions


def test_in_an_open_graph_nothing_happens_until_the_run():
    with pg.Graph() as graph:
        w = pg.Variable(2.0)
        train = GradientDescent(0.25).minimize(w * w)
    assert w.item() == 2
    assert pg.Session(graph).run(train) is None
    assert w.item() == 1


@pytest.mark.parametrize("optimizer", [Momentum, AdamW])
def test_minimize_after_the_graph_was_closed_makes_the_same_node(optimizer):
    def trained(*, inside: bool) -> float:
        with pg.Graph() as graph:
            w = pg.Variable(np.float64(1))
            loss = pg.square(w - 3)
            early = optimizer(0.1).minimize(loss)
        train = early if inside else optimizer(0.1).minimize(loss)
        for _ in range(4):
            pg.Session(graph).run(train)
        return w.item()

    assert trained(inside=False) == trained(inside=True)


def test_a_placeholder_alone_makes_minimize_wait():
    waits, acts, x = pg.Variable(1.0), pg.Variable(1.0), pg.placeholder()
    train = Adam(0.5).minimize(pg.square(waits - x))
    assert waits.item() == 1
    session, adam = pg.Session(), Adam(0.5)
    for fed in (3.0, 5.0, -1.0):
        session.run(train, {x: fed})
        adam.minimize(pg.square(acts - fed))
    assert_close(waits.numpy(), acts.numpy())


def test_a_run_gives_the_loss_before_its_own_step():
    with pg.Graph() as graph:
        w = pg.Variable(2.0)
        loss = w * w
        train = GradientDescent(0.25).minimize(loss)
    assert pg.Session(graph).run([loss, train]) == [4, None]
    assert w.item() == 1


def test_a_function_gives_the_loss_before_its_own_step():
    w = pg.Variable(2.0)
    optimizer = GradientDescent(0.25)

    @pg.function
    def step():
        loss = w * w
        optimizer.minimize(loss)
        return loss

    assert [float(step()), float(step())] == [4, 1]


@pytest.mark.parametrize("optimizer", [GradientDescent, Momentum, Adam])
def test_several_steps_in_one_function_are_as_many_eager_ones(optimizer):
    def trained(style):
        w, rule = pg.Variable(np.float64(1)), optimizer(0.1)

        def three_steps():
            for _ in range(3):
                rule.minimize(pg.square(w - 3))

        style(three_steps)()
        assert rule.steps.item() == 3
        return w.numpy()

    assert_close(trained(pg.function), trained(lambda f: f))


def test_scalars_of_a_step_are_built_once_for_all_variables_of_a_dtype():
    variables = [pg.Variable(np.full(n + 1, 1.0, np.float32)) for n in range(5)]
    double = pg.Variable(np.ones(3))
    adam = Adam(0.1)

    @pg.function
    def steps():
        for _ in range(2):
            adam.minimize(sum((pg.sum(v * v) for v in (*variables, double)), pg.tensor(0.0)))

    kinds = [node.kind_name() for node in steps.trace().program.order]
    assert kinds.count("expm1") == 2 * 2 * 2, "two corrections, two dtypes, two steps"


def test_a_step_after_an_assignment_in_a_function_starts_from_the_new_value():
    w = pg.Variable(np.float64(1))
    optimizer = GradientDescent(0.25)

    @pg.function
    def step(x):
        w.assign(x)
        optimizer.minimize(w * w)

    step(np.float64(8))
    assert w.item() == 4


def test_an_assigned_variable_in_a_function_is_where_gradients_end():
    """As eagerly: the loss is made from w, and not from what w's value was made from."""

    def changed(style):
        u, w = pg.Variable(3.0), pg.Variable(1.0)
        optimizer = GradientDescent(0.25)

        def step():
            w.assign(u * 2)
            optimizer.minimize(w * w)

        style(step)()
        return u.item(), w.item()

    assert changed(pg.function) == changed(lambda f: f) == (3, 3)


# ---------------------------------------------------------------- the learning rate


def test_a_new_learning_rate_takes_effect_eagerly():
    w = pg.Variable(0.0)
    optimizer = GradientDescent(1.0)
    optimizer.minimize(w + 0)
    optimizer.learning_rate.assign(0.25)
    optimizer.minimize(w + 0)
    assert w.item() == -1.25


def test_a_new_learning_rate_takes_effect_in_a_graph():
    with pg.Graph() as graph:
        w = pg.Variable(0.0)
        optimizer = GradientDescent(1.0)
        train = optimizer.minimize(w + 0)
    session = pg.Session(graph)
    session.run(train)
    optimizer.learning_rate.assign(0.25)
    session.run(train)
    assert w.item() == -1.25


def test_a_new_learning_rate_takes_effect_in_a_function_without_tracing_again():
    w, traces = pg.Variable(0.0), []
    optimizer = GradientDescent(1.0)

    @pg.function
    def step():
        traces.append("one more")
        optimizer.minimize(w + 0)

    step()
    optimizer.learning_rate.assign(0.25)
    step()
    assert w.item() == -1.25
    assert len(traces) == 1


# ---------------------------------------------------------------- state


@pytest.mark.parametrize("optimizer", [GradientDescent, Momentum, AdaGrad, RMSProp, Adam, AdamW])
def test_a_training_taken_up_from_a_checkpoint_goes_on_as_if_never_stopped(optimizer, tmp_path):
    def loss(u, v):
        return pg.sum(pg.square(u * 2 - 1)) + pg.square(v - 3)

    def start():
        return pg.Variable(np.ones(3)), pg.Variable(np.float64(0)), optimizer(0.1)

    u, v, rule = start()
    for _ in range(3):
        rule.minimize(loss(u, v))
    save_checkpoint(tmp_path, {"u": u, "v": v, **rule.variables()})
    for _ in range(3):
        rule.minimize(loss(u, v))

    u2, v2, rule2 = start()
    rule2.prepare([u2, v2])
    restore({"u": u2, "v": v2, **rule2.variables()}, load_checkpoint(tmp_path))
    for _ in range(3):
        rule2.minimize(loss(u2, v2))
    np.testing.assert_array_equal(u2.numpy(), u.numpy())
    np.testing.assert_array_equal(v2.numpy(), v.numpy())


def test_the_state_has_names():
    u = pg.Variable(1.0)
    adam = Adam()
    assert list(adam.variables()) == ["steps", "learning_rate"]
    adam.prepare([u])
    assert list(adam.variables()) == ["steps", "learning_rate", "0.mean", "0.square"]


def test_state_made_in_a_graph_is_no_part_of_the_graph():
    with pg.Graph() as graph:
        w = pg.Variable(1.0)
        Adam().minimize(w * w)
    assert graph.variables == [w]


# ---------------------------------------------------------------- mistakes


def test_a_loss_without_trainable_variables_is_an_error():
    frozen = pg.Variable(1.0, trainable=False)
    with pytest.raises(GradientError, match="minimize: multiply depends on no trainable Variable"):
        Adam().minimize(frozen * 2)


def test_variables_of_which_none_is_trainable_are_an_error():
    frozen = pg.Variable(1.0, trainable=False)
    with pytest.raises(GradientError, match="none of the 1 Variables given is trainable"):
        Adam().minimize(frozen * 2, [frozen])
    with pytest.raises(GradientError, match="apply: none of the 1 Variables given is trainable"):
        Adam().apply({frozen: pg.tensor(1.0)})


def test_what_is_no_variable_is_an_error():
    v = pg.Variable(1.0)
    names: Any = {"v": pg.tensor(1.0)}
    with pytest.raises(GradientError, match="minimize: expected Variables, got 'v'"):
        Adam().minimize(v * 2, list(names))
    with pytest.raises(GradientError, match="apply: expected Variables, got 'v'"):
        Adam().apply(names)


def test_a_loss_that_is_no_node_is_an_error():
    number: Any = 3.0
    with pytest.raises(GradientError, match=r"expected a node as the loss, got 3\.0"):
        Adam().minimize(number)


def test_a_loss_of_several_numbers_is_an_error_that_says_what_to_do():
    w = pg.Variable([1.0, 2.0])
    with pytest.raises(GradientError, match=r"only a scalar has a gradient\. Sum it"):
        Adam().minimize(w * 2)


def test_a_step_that_fails_changes_nothing():
    u, v = pg.Variable(1.0), pg.Variable([1.0, 2.0])
    optimizer = Momentum(0.1)
    with pytest.raises(pg.errors.ShapeError):
        optimizer.apply({u: pg.tensor(1.0), v: pg.tensor([1.0, 2.0, 3.0])})
    with pytest.raises(pg.errors.ShapeError):
        optimizer.apply({u: pg.tensor([1.0, 2.0])})  # the new value would have another shape
    assert (u.item(), optimizer.steps.item()) == (1, 0)


def test_an_optimizer_without_a_rule_says_what_it_needs():
    with pytest.raises(NotImplementedError, match="Optimizer needs update"):
        Optimizer(0.1).minimize(pg.Variable(1.0) * 2)
