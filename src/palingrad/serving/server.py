"""Serves a model by HTTP until Ctrl-C."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette

from ..dtypes import as_dtype
from ..errors import ArgumentError, EngineError
from ..functions import function
from ..graph.node import Node
from ..io.model import Argument, load_model
from ..messages.checks import shown, whole, within
from ..shapes import as_shape
from .app import LOOPBACK, application
from .runs import named, service_of_model, service_of_run
from .services import Arrays, Service

_GRACE = 5  # seconds for answers that are being computed at Ctrl-C


def app_of(
    model: Any, signature: Mapping[str, Any] | None, *, host: str = "127.0.0.1",
    batch: int = 64, window: float = 0.0, body_limit: int = 16 * 2**20, seconds: float = 30.0,
) -> Starlette:  # fmt: skip
    """The web application of a model, a saved model's folder, or a run folder."""
    options = {"batch": whole("serve: batch", batch, least=1, like=64),
               "window": within("serve: window", window, "[0, inf)", like=0.002)}  # fmt: skip
    service = _service(model, signature, options)
    hosts = LOOPBACK if host in ("127.0.0.1", "localhost", "::1") else None
    return application(service, hosts=hosts,
                       body_limit=whole("serve: body_limit", body_limit, least=1, like=2**24),
                       seconds=within("serve: seconds", seconds, "(0, inf)", like=30.0),
                       )  # fmt: skip


def _service(model: Any, signature: Mapping[str, Any] | None, options: dict[str, Any]) -> Service:
    if isinstance(model, (str, os.PathLike)):
        if os.path.exists(Path(model) / "run.json"):
            return service_of_run(model, **options)
        model = load_model(model)
    if hasattr(model, "inputs") and hasattr(model, "outputs") and signature is None:
        return service_of_model(model, **options)
    if not callable(model):
        raise ArgumentError(f"serve: expected a model or a folder, got {shown(model)}.")
    if not isinstance(signature, Mapping) or not signature:
        raise ArgumentError("serve: a model needs the shapes and dtypes of its inputs.",
                            hint="Pass signature={'x': ((None, 784), 'float32')}: None stands for "
                            "any number of rows.")  # fmt: skip
    inputs = [_argument(name, one) for name, one in signature.items()]
    outputs = _outputs(model, inputs)
    names = [one.name for one in outputs]
    return Arrays(named(model, names), inputs, outputs, **options)


def _argument(name: str, pair: Any) -> Argument:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ArgumentError(f"serve: the signature of {name!r} is {shown(pair)}.",
                            hint="Pass (shape, dtype): ((None, 784), 'float32').")  # fmt: skip
    return Argument(str(name), as_shape(pair[0]), as_dtype(pair[1]))


def _outputs(model: Callable[..., Any], inputs: list[Argument]) -> list[Argument]:
    """The outputs for zeros: the axis that grows with the rows is free."""
    found: list[Any] = []
    for rows in (2, 3):
        zeros = [np.zeros([rows if n is None else n for n in one.shape or ()], one.dtype)
                 for one in inputs]  # fmt: skip
        result = function(model)(*zeros)
        if isinstance(result, dict):
            found.append({str(name): np.asarray(x) for name, x in result.items()})
        elif isinstance(result, (tuple, list)):
            found.append({f"y{number}": np.asarray(x) for number, x in enumerate(result)})
        else:
            found.append({"y": np.asarray(result.numpy() if isinstance(result, Node) else result)})
    return [
        Argument(name, tuple(a if a == b else None for a, b in
                             zip(y.shape, found[1][name].shape, strict=True)), y.dtype)
        for name, y in found[0].items()
    ]  # fmt: skip


class _Server(uvicorn.Server):
    """A server that tells its address when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[str], object]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")


def run(app: Starlette, host: str, port: int, ready: Callable[[str], object]) -> None:
    """Serve until Ctrl-C. Raises EngineError if nothing can listen there."""
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", access_log=False, lifespan="on",
        timeout_graceful_shutdown=_GRACE, server_header=False, timeout_keep_alive=30,
    )  # fmt: skip
    try:
        _Server(config, ready).run()
    except KeyboardInterrupt:
        return
    except SystemExit as error:  # of uvicorn, which has logged why
        raise EngineError(
            f"serve: nothing can listen on {host}, port {port}.",
            hint="The port may be taken: choose another one, or 0 for a free one.",
        ) from error
