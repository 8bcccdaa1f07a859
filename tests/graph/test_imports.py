"""First imports: neither an interrupt nor a signal handler finds a module half imported."""

import signal
from collections.abc import Callable

import pytest

from palingrad.graph.state.imports import imported

SLOW = "import time\ntime.sleep(0.2)\nvalue = 1\n"
pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")


class Interrupt(BaseException):
    """What a handler raises."""


@pytest.fixture
def during(tmp_path, monkeypatch):
    def run(name: str, handle: Callable[[], None]) -> int:
        (tmp_path / f"{name}.py").write_text(SLOW)
        monkeypatch.syspath_prepend(tmp_path)
        before = signal.signal(signal.SIGALRM, lambda *_: handle())
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            return imported(name).value
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    return run


def test_a_handler_during_an_import_gets_the_whole_module(during):
    values: list[int] = []
    assert during("slow_read", lambda: values.append(imported("slow_read").value)) == 1
    assert values == [1]


def test_an_interrupted_import_is_completed(during):
    def interrupt() -> None:
        raise Interrupt

    with pytest.raises(Interrupt):
        during("slow_interrupted", interrupt)
    assert imported("slow_interrupted").value == 1


def test_the_error_of_an_import_is_raised(tmp_path, monkeypatch):
    (tmp_path / "slow_broken.py").write_text("raise ValueError('broken')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="broken"):
        imported("slow_broken")
