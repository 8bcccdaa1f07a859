"""The model of large machines: it reproduces what was measured, and the doc has what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import scale_model as model

DOC = Path(__file__).parent.parent.parent / "docs" / "scale.md"


@pytest.mark.parametrize("point", model.MEASURED)
def test_measured_points_are_predicted_within_a_fifth(point):
    assert model.predicted()[point] == pytest.approx(model.MEASURED[point], rel=0.2)


def test_the_doc_has_its_tables():
    text = DOC.read_text()
    for lines in (model.table(), model.points()):
        assert "\n".join(lines) in text


def test_rings():
    """By hand: 4 devices, 4 bytes, 1 byte/s: each passes on 3 parts of 1 byte."""
    machine = replace(model.HOSTS, link=1.0, link_latency=0.5, network=0.5, network_latency=2.0)
    assert model.ring(machine, 1, 4.0) == 0
    assert model.ring(machine, 4, 4.0) == 3 * (1 + 0.5)
    assert model.ring(machine, 4, 4.0, 2) == 2 * 3 * (1 + 0.5)
    assert model.ring(machine, 16, 16.0) == 15 * (2 + 2.0)


def test_parameters_and_flops_of_gpt2():
    """GPT-2 small has 124 million parameters (Radford et al. 2019)."""
    gpt = model.Gpt("small", layers=12, width=768, heads=12, tokens=1024, batch=1)
    assert gpt.parameters == pytest.approx(124e6, rel=0.01)
    work = gpt.work()
    assert work.flops == pytest.approx(6 * 124e6 * 1024 * 1.15, rel=0.02)


def test_steps_on_one_device_are_compute_and_update():
    work = model.MODELS[0].work()
    alone = work.flops / model.HOSTS.flops + 28 * work.parameters / model.HOSTS.memory_bandwidth
    assert model.data_parallel(model.HOSTS, work, 1) == pytest.approx(alone)
    assert model.fully_sharded(model.HOSTS, work, 1) == pytest.approx(alone)
    assert model.data_parallel(model.HOSTS, work, 8000) > alone
    assert model.MODELS[1].memory(sharded=64) < model.HOSTS.memory < model.MODELS[1].memory()
