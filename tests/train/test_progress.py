"""The bar prints one line for each epoch."""

from __future__ import annotations

import io

from rich.console import Console

from palingrad.optim import Adam
from palingrad.train import Epoch, fit
from palingrad.train.progress import Bar


def lines(*, terminal: bool, epochs: list[Epoch]) -> str:
    file = io.StringIO()
    with Bar(Console(file=file, width=100, force_terminal=terminal)) as bar:
        for epoch in epochs:
            bar.epoch_starts(epoch.number, len(epochs), steps=2)
            bar.step_ends(epoch.loss, epoch.accuracy)
            bar.step_ends(epoch.loss, epoch.accuracy)
            bar.epoch_ends(epoch)
    return file.getvalue()


def test_an_epoch_s_line_has_its_numbers():
    epochs = [Epoch(1, 0.51234, 0.875, 0.25, 0.9375, 1.5), Epoch(2, 0.25, 1.0, 0.125, 1.0, 1.25)]
    assert lines(terminal=False, epochs=epochs).splitlines()[:2] == [
        "epoch   1  loss 0.5123  accuracy 87.50%  test 0.2500 93.75%  1.50 s",
        "epoch   2  loss 0.2500  accuracy 100.00%  test 0.1250 100.00%  1.25 s",
    ]


def test_without_test_data_the_line_is_shorter():
    found = lines(terminal=False, epochs=[Epoch(1, 0.5, 0.875, None, None, 1.5)])
    assert found.splitlines()[0] == "epoch   1  loss 0.5000  accuracy 87.50%  1.50 s"


def test_on_a_terminal_the_bar_shows_the_epoch_that_runs():
    found = lines(terminal=True, epochs=[Epoch(1, 0.5, 0.875, None, None, 1.5)] * 12)
    assert "epoch  1/12" in found
    assert "2/2" in found
    assert "loss 0.5000  accuracy 87.50%" in found


def test_the_bar_reports_a_training(make_model, train_part):
    file = io.StringIO()
    bar = Bar(Console(file=file, width=100))
    fit(make_model(), train_part, optimizer=Adam(), epochs=3, reporter=bar)
    assert [line.split()[:2] for line in file.getvalue().splitlines() if line] == [
        ["epoch", "1"],
        ["epoch", "2"],
        ["epoch", "3"],
    ]
