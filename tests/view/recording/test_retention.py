"""Retention on a tape: whole values, summaries and samples, within a budget, in a file, on a
page."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import TapeError
from palingrad.graph.registry import operations
from palingrad.view.recording.retention import Summary, digest, summary_of
from view.recording.steps import INPUTS, LABELS, compiled_step, network

# ---------------------------------------------------------------- what is kept


def test_summaries_and_samples_keep_less_and_can_be_computed_again():
    tapes = {}
    for keep in ("all", "summary", "sample"):
        step = compiled_step(network())
        with pg.record(keep=keep) as tapes[keep]:
            for _ in range(4):
                step(INPUTS, LABELS)
    whole, summary, sample = tapes.values()
    assert not whole.dropped
    assert "kept as a summary" in summary.dropped
    assert summary.nbytes < sample.nbytes * 1.01
    assert summary.nbytes < 0.7 * whole.nbytes
    place = next(entry.place for entry in whole.runs[2].entries if entry.operation == "relu")
    kept = summary.runs[2].values[place]
    assert isinstance(kept, Summary)
    assert kept.sample is None
    assert len(sample.runs[2].values[place].sample) == 64
    full = whole.runs[2].values[place]
    assert kept.digest == digest(full)
    assert summary.value((2, place), 2).tobytes() == full.tobytes()
    assert whole.differences(summary) == []
    assert summary.replay().differences(whole) == []


def test_a_summary_tells_what_an_array_is_like():
    value = np.array([0.0, 1.0, 3.0, np.nan, -np.inf, 0.0] + [2.0] * 20)
    found = summary_of(value)
    assert (found.low, found.high, found.nans, found.infinities, found.zeros) == (0, 3, 1, 1, 2)
    assert sum(found.counts) == 24
    assert found.counts[0] == 2
    assert found.counts[-1] == 1
    np.testing.assert_allclose(found.norm, np.sqrt(1 + 9 + 80))
    assert summary_of(np.zeros(0)).counts == (0,) * 40
    assert sum(summary_of(np.full(50, 7.0)).counts) == 50


def test_beyond_its_budget_a_tape_summarises_the_oldest_and_says_so():
    step = compiled_step(network())
    with pg.record(budget=60_000) as tape:
        for _ in range(20):
            step(INPUTS.copy(), LABELS)
    assert tape.nbytes <= 60_000
    assert "of 20 runs hold only summaries" in tape.dropped
    assert "the budget was 60,000 bytes" in tape.dropped
    assert tape.runs[-1].whole
    assert not tape.runs[0].whole
    with pg.record(budget=1_000) as tape:
        for _ in range(3):
            step(INPUTS.copy(), LABELS)
    assert not tape.runs[0].fed
    with pytest.raises(TapeError, match=r"was not kept whole.*larger budget"):
        tape.replay()


def test_nothing_is_held_after_the_tape_is_gone():
    import gc
    import weakref

    with pg.record() as tape:
        y = pg.exp(pg.tensor(np.ones(100)))
        reference = weakref.ref(y)
        array = weakref.ref(y.numpy())
        del y
    gc.collect()
    assert reference() is None  # a tape holds values, no nodes
    assert array() is not None
    del tape
    gc.collect()
    assert array() is None


# ---------------------------------------------------------------- files


def test_a_tape_is_saved_and_loaded_bit_for_bit(tmp_path):
    step = compiled_step(network())
    with pg.record() as tape:
        for _ in range(3):
            step(INPUTS, LABELS)
        x = pg.tensor(INPUTS)
        y = pg.sum(x[1:3, None, ..., ::2] * pg.cast(x[0, 0], pg.float64))
        y.backward()
        a, _ = pg.split(x, 2, axis=1)
        pg.sum(a).backward()
    tape.save(tmp_path / "steps.tape")
    loaded = pg.load_tape(tmp_path / "steps.tape")
    assert (len(loaded), loaded.variables) == (len(tape), tape.variables)
    assert tape.differences(loaded) == []
    assert loaded.differences(loaded.replay()) == []
    assert [str(m) for m in loaded.moments()] == [str(m) for m in tape.moments()]
    assert b"pickle" not in (tmp_path / "steps.tape").read_bytes()
    assert loaded.edit("weight", np.zeros((8, 6)), run=1).recomputed


def test_summaries_are_saved_too(tmp_path):
    step = compiled_step(network())
    with pg.record(keep="sample") as tape:
        step(INPUTS, LABELS)
    tape.save(tmp_path / "steps.tape")
    loaded = pg.load_tape(tmp_path / "steps.tape")
    assert loaded.keep == "sample"
    assert tape.differences(loaded) == []


def test_a_file_that_is_not_a_tape_is_refused(tmp_path):
    (tmp_path / "text.tape").write_text("no tape")
    with pytest.raises(TapeError, match="is not a tape"):
        pg.load_tape(tmp_path / "text.tape")
    with pytest.raises(TapeError, match="is not a tape"):
        pg.load_tape(tmp_path / "missing.tape")
    pg.io.save_checkpoint(tmp_path / "run", {"w": pg.Variable(1.0)})
    with pytest.raises(TapeError, match="is not a tape"):
        pg.load_tape(tmp_path / "run" / "weights.safetensors")


def test_an_operation_that_is_unknown_where_a_tape_is_loaded(tmp_path, monkeypatch):
    with pg.record() as tape:
        pg.tanh(pg.tensor([1.0])) * 2
    tape.save(tmp_path / "t.tape")
    kept = {name: one for name, one in operations.items() if one.__name__ != "Tanh"}
    monkeypatch.setattr("palingrad.view.recording.tape_file.operations", kept)
    loaded = pg.load_tape(tmp_path / "t.tape")
    assert tape.differences(loaded) == []
    with pytest.raises(TapeError, match=r"a tanh, which isn't defined here.*Import the module"):
        loaded.replay()


# ---------------------------------------------------------------- the page


def test_a_run_is_a_graph_again_and_a_page(tmp_path):
    step = compiled_step(network())
    with pg.record() as tape:
        for _ in range(3):
            step(INPUTS, LABELS)
    program = tape.graph(1)
    assert program.updates
    assert {node.kind_name() for node in program.order} >= {"matmul", "relu", "where", "sqrt"}
    page = tape.view(tmp_path / "tape.html", open=False)
    text = page.path.read_text()
    assert "run 2 of 3" in text
    assert all(f"run {number}" in text for number in range(3))
    with pg.record() as empty:
        pass
    with pytest.raises(TapeError, match="empty"):
        empty.view()
