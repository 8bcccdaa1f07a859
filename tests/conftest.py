"""What all tests share: a clean start, passes that are verified, and reproducible random cases."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import palingrad as pg
from mutation.memory import remember

os.environ["PALINGRAD_VERIFY"] = "1"  # the verifier looks at the result of every pass

# The same cases on every run; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile(
    "reproducible", derandomize=True, deadline=None, database=None, max_examples=60
)
settings.register_profile("explore", deadline=None, database=None, max_examples=2000)
_STATES: dict[np.random.Generator, Any] = {}  # of generators of modules, when they were made
SEED = int(os.environ.get("PALINGRAD_TESTS_SEED", "0"))  # of the library's default generator
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "reproducible"))
remember()


# Hooks, not fixtures, which would cost each test a fifth more of what pytest does for it.
@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Each test draws from its module's generators, and from the library's own, as if it were the
    first one to do so."""
    pg.random.seed(SEED)
    module = getattr(item, "module", None)  # which examples in docstrings lack
    for value in vars(module).values() if module else ():
        if isinstance(value, np.random.Generator):
            state = _STATES.setdefault(value, value.bit_generator.state)
            value.bit_generator.state = state
    return (yield)


def pytest_collectstart() -> None:
    """Models without a seed made when a module is imported begin alike in each process."""
    pg.random.seed(SEED)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, object, object]:
    """Each test leaves what is ambient as it found it."""
    try:
        return (yield)
    finally:
        pg.reset_default_graph()
        pg.set_default_dtype(pg.float32)
        pg.set_engine(None)


@pytest.fixture(scope="session", autouse=True)
def _interrupts_raise() -> None:
    """Ctrl-C raises KeyboardInterrupt, also where a shell's background job would ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m tiny`, files without that mark are not imported: collecting them all takes 6 s."""
    if config.getoption("markexpr") != "tiny" or collection_path.suffix != ".py":
        return None
    return True if "tiny" not in collection_path.read_text(encoding="utf-8") else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """The garbage collector waits: little that is made here is garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """What was imported and collected lives to the end: the garbage collector need not look at it
    again, which took a fifth of the time of tests that compile."""
    gc.collect()
    gc.freeze()
