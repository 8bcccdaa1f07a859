"""Serves models by HTTP: `pg.serve`, `palingrad serve`. Needs `pip install 'palingrad[serve]'`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ..errors import ArgumentError
from ..messages.calls import public

__all__ = ["application", "serve"]


def _server() -> Any:
    try:
        return import_module(f"{__name__}.server")
    except ModuleNotFoundError as error:
        raise ArgumentError(
            f"serve: the server needs {error.name}, which isn't installed.",
            hint="pip install 'palingrad[serve]'",
        ) from error


@public
def application(model: Any, signature: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """The ASGI application that `serve` runs, for servers and tests of yours."""
    return _server().app_of(model, signature, **options)


@public
def serve(
    model: Any,
    signature: Mapping[str, Any] | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    batch: int = 64,
    window: float = 0.0,
    body_limit: int = 16 * 2**20,
    seconds: float = 30.0,
    ready: Callable[[str], object] = print,
) -> None:
    """Serve a model by HTTP until Ctrl-C.

    `model` is a module or a function with its `signature`, {"x": ((None, 784), "float32")}, a
    model that `pg.io.load_model` read, or the folder of a saved model or a run. POST /predict takes
    JSON, {"x": [[…], …]}, or a .npy file; GET /signature tells names, shapes and dtypes,
    /openapi.json describes all, / is a page to try it.

    Up to `batch` rows of concurrent requests are computed together, those that arrive within
    `window` seconds or while another batch is computed, if rows don't influence each other. Bodies
    have at most `body_limit` bytes, an answer takes at most `seconds`. Only this machine can
    connect unless `host` says otherwise: there is no encryption and no password. `ready` is called
    with the address when the server listens; port 0 is a free one.
    """
    server = _server()
    app = server.app_of(model, signature, host=host, batch=batch, window=window,
                        body_limit=body_limit, seconds=seconds)  # fmt: skip
    server.run(app, host, port, ready)
