"""The engine of `examples/own_engine.py`, registered while it is tested."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from palingrad.engines.selection import add_engine, remove_engine

PATH = Path(__file__).resolve().parents[1] / "examples" / "own_engine.py"


@contextmanager
def registered() -> Iterator[ModuleType]:
    """The example's module; inside, its engine is called toy."""
    spec = importlib.util.spec_from_file_location("own_engine", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    add_engine(module.ToyEngine())
    try:
        yield module
    finally:
        remove_engine("toy")
