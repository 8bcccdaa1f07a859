"""Ctrl-C ends training after the step that runs; a second one ends it at once."""

from __future__ import annotations

import signal
import time

import numpy as np
import pytest

from palingrad.optim import Adam
from palingrad.train import fit
from palingrad.train.progress import Quiet
from palingrad.train.runs import load_run, new_run

SETTINGS = {"model": "mlp", "dataset": "digits", "features": 64, "classes": 10}


class CtrlC(Quiet):
    """Presses Ctrl-C so many times after one step."""

    def __init__(self, after: int, times: int = 1) -> None:
        self.steps, self.after, self.times = 0, after, times

    def step_ends(self, loss: float, accuracy: float, steps: int = 1) -> None:
        self.steps += 1
        if self.steps == self.after:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def _handler_is_put_back():
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_ends_training_after_the_step_that_runs(make_model, train_part, test_part):
    reporter, adam = CtrlC(after=25), Adam()
    history = fit(
        make_model(), train_part, optimizer=adam, test=test_part, epochs=9, reporter=reporter
    )
    assert history.interrupted
    assert adam.steps.item() == reporter.steps == 25  # 23 steps are an epoch
    assert [epoch.number for epoch in history.epochs] == [1, 2]
    assert history.epochs[-1].test_accuracy is not None  # what was learnt is evaluated, too


def test_what_was_learnt_is_saved(train_part, test_part, tmp_path):
    with new_run(str(tmp_path), SETTINGS) as run:
        model = run.recipe.build(64, 10)
    history = fit(
        model,
        train_part,
        optimizer=Adam(),
        epochs=9,
        reporter=CtrlC(after=3),
        on_epoch=lambda history: run.save(model, history),
    )
    run.save(model, history)
    saved = load_run(tmp_path).model().variables()
    for name, variable in model.variables().items():
        np.testing.assert_array_equal(saved[name].numpy(), variable.numpy())
    assert '"interrupted": true' in (tmp_path / "run.json").read_text()


def test_ctrl_c_in_a_callback_counts_too(make_model, train_part):
    history = fit(
        make_model(),
        train_part,
        optimizer=Adam(),
        epochs=9,
        on_epoch=lambda history: signal.raise_signal(signal.SIGINT),
    )
    assert history.interrupted
    assert len(history.epochs) == 1


def test_a_second_ctrl_c_ends_training_at_once(make_model, train_part):
    saved = []
    with pytest.raises(KeyboardInterrupt):
        fit(
            make_model(),
            train_part,
            optimizer=Adam(),
            reporter=CtrlC(after=3, times=2),
            on_epoch=saved.append,
        )
    assert saved == []


def test_an_error_puts_ctrl_c_back_as_it_was(make_model, train_part):
    def fail(history):
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        fit(make_model(), train_part, optimizer=Adam(), on_epoch=fail)
    with pytest.raises(KeyboardInterrupt):
        press()


def press():
    """Ctrl-C, and a moment: Python handles a signal soon, not at once."""
    signal.raise_signal(signal.SIGINT)
    time.sleep(1)
