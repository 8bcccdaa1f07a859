"""Engine selection: by argument, else `set_engine`, else the environment, else the default."""

from __future__ import annotations

import importlib.util
import itertools
import os

from ..dtypes import setting_changes
from ..errors import EngineError
from ..graph.context import context
from ..messages.calls import public
from ..messages.checks import did_you_mean
from ..version import ENGINE
from .auto import AutoEngine, say_once
from .base import Engine
from .native.engine import NativeEngine
from .numpy import NumpyEngine
from .placement import Placement, current
from .recording import RecordingEngine
from .xla.engine import XlaEngine, check_installed

_engines: dict[str, Engine] = {"numpy": NumpyEngine()}
if importlib.util.find_spec("llvmlite") is not None:
    _engines["native"] = NativeEngine()
    _engines["auto"] = AutoEngine()
_shipped = frozenset(_engines)
_recording = RecordingEngine()
# Optional engines, which run where they are asked for by name, and are never a default.
_on_request: dict[str, Engine] = {
    "xla": XlaEngine(),
    "xla:bfloat16": XlaEngine("xla:bfloat16", "bfloat16"),
}
PRECISIONS = ("bfloat16",)  # other than that of the arrays' dtypes
# Those of `_on_request` for each placement that was used.
_on_meshes: dict[tuple[Placement, str], XlaEngine] = {}
_number = itertools.count(1)
_MESH = " on mesh "
# The engine set by set_engine, else by the environment. The environment is read when palingrad is
# imported and by set_engine(None) only: reading it takes a fifth of the time of a small run.
_selected: list[str | None] = [ENGINE]


@public
def set_engine(name: str | None) -> None:
    """Use this engine for subsequent runs, unless `engine=` selects another.

    None restores the engine in the environment variable PALINGRAD_ENGINE, which is read again, or
    the default.
    """
    if name is not None:
        _named(name)
    _selected[0] = os.environ.get("PALINGRAD_ENGINE") if name is None else name
    setting_changes[0] += 1  # last, as in set_ieee_gradients


def get_engine(name: str | None = None, *, observed: bool = True, placed: bool = True) -> Engine:
    """The engine called `name`; without a name the one that `set_engine` selected, else that of
    PALINGRAD_ENGINE, else the default. The environment variable is read when palingrad is imported,
    and by `set_engine(None)`.

    While this thread has observers, the result is the recording engine, which computes as numpy
    does; with observed=False it is the engine that is used without observers. While a mesh is in
    use (`pg.scale.use`) it is the xla engine for this mesh; with placed=False the mesh is ignored.
    """
    state = context()
    if observed and state.observers:
        return _recording
    if placed and state.placement is not None:
        return _on_mesh(name, state.placement)
    return _named(name or _selected[0] or _default())


def precise(engine: str | None, precision: str | None) -> str | None:
    """The name of the engine that computes in this precision: of the one called `engine`, else of
    the selected one; on a mesh, of xla. Raises EngineError where it has none such."""
    if precision is None:
        return engine
    if precision not in PRECISIONS:
        raise EngineError(
            f"precision={precision!r} isn't known; there is {', '.join(map(repr, PRECISIONS))}.",
            hint="Without it, each dtype is computed in itself.",
        )
    name = engine or _selected[0] or ("xla" if current() is not None else _default())
    if name.endswith(f":{precision}"):
        return name
    _named(name)
    if f"{name}:{precision}" not in _on_request:
        raise EngineError(
            f"the {name} engine computes each dtype in itself, and has no precision={precision!r}.",
            hint='Write engine="xla" as well, or leave precision out.',
        )
    return f"{name}:{precision}"


def engine_names() -> list[str]:
    """The names of the available engines. The default is `auto`: first numpy, then native.

    Not among them is `xla`, which needs JAX and runs what asks for it by name.
    """
    return list(_engines)


def add_engine(engine: Engine) -> None:
    """Register an engine, which can then be selected by `engine.name`. Raises EngineError if the
    name is taken."""
    if engine.name in (*_engines, *_on_request, _recording.name):
        raise EngineError(
            f"an engine is called {engine.name!r} already; give this one another name"
        )
    _engines[engine.name] = engine


def remove_engine(name: str) -> None:
    """Unregister an engine that `add_engine` registered; programs it compiled can still run."""
    if name in _shipped or name in _on_request:
        raise EngineError(f"the {name} engine belongs to palingrad and can't be removed")
    _named(name)
    del _engines[name]


def _default() -> str:
    if "auto" in _engines:
        return "auto"
    say_once("programs run on NumPy because llvmlite isn't installed (pip install llvmlite)")
    return "numpy"


def _on_mesh(name: str | None, placement: Placement) -> Engine:
    """The xla engine for a placement; its name tells programs for different ones apart."""
    chosen = name or _selected[0] or "xla"
    if chosen not in _on_request:
        raise EngineError(
            f"{placement.mesh} is in use, and the {chosen} engine knows no meshes.",
            hint="Write engine='xla', or leave it out; end `with use(mesh):` to run elsewhere.",
        )
    found = _on_meshes.get((placement, chosen))
    if found is None:
        check_installed()
        precision = chosen.partition(":")[2] or None
        found = XlaEngine(f"{chosen}{_MESH}{next(_number)}", precision, placement)
        found = _on_meshes.setdefault((placement, chosen), found)
    return found


def _named(name: str) -> Engine:
    if _MESH in name:
        for one in [*_on_meshes.values()]:
            if one.name == name:
                return one
    if name in ("native", "auto") and name not in _engines:
        raise EngineError(
            f"the {name} engine needs llvmlite, which isn't installed", hint="pip install llvmlite"
        )
    if name in _on_request:
        check_installed()
        return _on_request[name]
    if name not in _engines:
        names = (*_engines, *_on_request)
        raise EngineError(
            f"no engine is called {name!r}; there is {', '.join(names)}.",
            hint=did_you_mean(name, names, quoted=True) or "Without one, 'auto' is used.",
        )
    return _engines[name]
