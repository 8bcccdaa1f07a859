"""`pg.scale.initialize`: what is said wrongly, before JAX is needed."""

from __future__ import annotations

import pytest

import palingrad as pg
from palingrad.engines.xla import engine
from palingrad.errors import ArgumentError, EngineError, ProcessError
from palingrad.scale import processes


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    for name in ("ADDRESS", "PROCESSES", "INDEX", "PATIENCE"):
        monkeypatch.delenv(f"PALINGRAD_{name}", raising=False)


def test_without_jax(monkeypatch):
    monkeypatch.setattr(engine, "is_installed", lambda: False)
    with pytest.raises(EngineError, match=r"needs JAX, which isn't installed.*palingrad\[xla\]"):
        pg.scale.initialize("127.0.0.1:9", 2, 0)


def test_one_process_is_number_0_of_1():
    assert (pg.scale.process_index(), pg.scale.process_count()) == (0, 1)
    processes.initialize_if_launched()  # which it wasn't
    assert pg.scale.process_count() == 1


@pytest.mark.parametrize(
    ("given", "fact"),
    [
        (("127.0.0.1:9", 2, 2), "index is 2, of 2 processes"),
        (("127.0.0.1:9", 0, 0), "processes is 0; expected an integer ≥ 1"),
        (("127.0.0.1:9", 2, -1), "index is -1; expected an integer ≥ 0"),
        (("127.0.0.1", 2, 0), "expected a host and a port"),
    ],
)
def test_wrong_arguments(monkeypatch, given, fact):
    monkeypatch.setattr(engine, "check_installed", lambda: None)
    monkeypatch.setattr(processes, "check_installed", lambda: None)
    monkeypatch.setattr(processes, "_runtime", lambda: Runtime())
    with pytest.raises(ArgumentError, match=fact):
        pg.scale.initialize(*given)


class Runtime:
    """Stands for the module that imports JAX."""

    def check_fresh(self):
        pass

    def detected(self, *given):
        return None, None, None, None


def test_wrong_variables(monkeypatch):
    monkeypatch.setattr(processes, "check_installed", lambda: None)
    monkeypatch.setattr(processes, "_runtime", lambda: Runtime())
    with pytest.raises(ProcessError, match=r"address, processes, index.*palingrad launch"):
        pg.scale.initialize()
    monkeypatch.setenv("PALINGRAD_PROCESSES", "detect")  # and nothing is found
    with pytest.raises(ProcessError, match="nothing says what this is"):
        processes.initialize_if_launched()
    monkeypatch.setenv("PALINGRAD_PROCESSES", "four")
    with pytest.raises(ArgumentError, match="PALINGRAD_PROCESSES is 'four'"):
        pg.scale.initialize()
    monkeypatch.setenv("PALINGRAD_PROCESSES", "2")
    monkeypatch.setenv("PALINGRAD_PATIENCE", "-3")
    with pytest.raises(ArgumentError, match="patience is '-3'; expected seconds"):
        pg.scale.initialize("127.0.0.1:9", index=1)
