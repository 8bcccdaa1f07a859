"""Which engine runs: the argument, else `set_engine`, else the environment, else the best."""

from __future__ import annotations

import importlib.util
import os

from ..dtypes import setting_changes
from ..errors import EngineError
from ..graph.context import context
from .auto import AutoEngine, say_once
from .base import Engine
from .native.engine import NativeEngine
from .numpy import NumpyEngine
from .recording import WatchedEngine

_engines: dict[str, Engine] = {"numpy": NumpyEngine()}
if importlib.util.find_spec("llvmlite") is not None:
    _engines["native"] = NativeEngine()
    _engines["auto"] = AutoEngine()
_shipped = frozenset(_engines)
_watched = WatchedEngine()
# Set, or the environment's. That is read here and by set_engine(None), not in each run: it takes a
# fifth of the time of a small one.
_chosen: list[str | None] = [os.environ.get("PALINGRAD_ENGINE")]


def set_engine(name: str | None) -> None:
    """Run on this engine from the next run on where no `engine=` says otherwise.

    None goes back to what PALINGRAD_ENGINE says by now, else the best.
    """
    if name is not None:
        _named(name)
    setting_changes[0] += 1
    _chosen[0] = os.environ.get("PALINGRAD_ENGINE") if name is None else name


def get_engine(name: str | None = None, *, observed: bool = True) -> Engine:
    """The engine called `name`; by default the one that is set, else PALINGRAD_ENGINE's, else the
    best. The environment is read when palingrad is imported, and by `set_engine(None)`.

    While this thread is recorded it is one that computes as numpy does and tells every value;
    with observed=False it is the one that runs otherwise.
    """
    if observed and context.observers:
        return _watched
    return _named(name or _chosen[0] or _best())


def engine_names() -> list[str]:
    """The engines that are here. Where none is named `auto` runs, from numpy to native."""
    return list(_engines)


def add_engine(engine: Engine) -> None:
    """Let `engine.name` name this engine wherever one can be chosen."""
    if engine.name in _engines or engine.name == _watched.name:
        raise EngineError(f"an engine is called {engine.name!r} already; give this one another")
    _engines[engine.name] = engine


def remove_engine(name: str) -> None:
    """Forget an engine that `add_engine` added; what it has compiled stays as it is."""
    if name in _shipped:
        raise EngineError(f"the {name} engine belongs to palingrad and can't be removed")
    _named(name)
    del _engines[name]


def _best() -> str:
    if "auto" in _engines:
        return "auto"
    say_once("programs run on NumPy, for llvmlite isn't installed (pip install llvmlite)")
    return "numpy"


def _named(name: str) -> Engine:
    if name in ("native", "auto") and name not in _engines:
        raise EngineError(
            f"the {name} engine needs llvmlite, which isn't installed", hint="pip install llvmlite"
        )
    if name not in _engines:
        raise EngineError(f"no engine is called {name!r}; there is {', '.join(_engines)}")
    return _engines[name]
