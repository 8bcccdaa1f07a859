"""The web application: routes, limits on requests, and faults as JSON."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..errors import PalingradError
from .bodies import JSON, to_json
from .faults import RequestError
from .openapi import openapi
from .services import Service

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
_HERE = Path(__file__).parent
_POLICY = {  # the page needs nothing from elsewhere
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}
Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]
_log = logging.getLogger("palingrad.serving")


class _Application(Starlette):
    """Starlette's application, with a short way to /predict: its middleware and routing take longer
    than a small model does. Requests under other names go through them, and are refused."""

    def __init__(self, predict: Endpoint, hosts: tuple[str, ...] | None, **options: Any) -> None:
        super().__init__(**options)
        self._predict = predict
        self._hosts = None if hosts is None else frozenset(name.encode() for name in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/predict" and scope["method"] == "POST":
            names = [value for name, value in scope["headers"] if name == b"host"]
            host = names[0].partition(b":")[0].lower() if len(names) == 1 else b""
            if self._hosts is None or host in self._hosts:
                scope["app"] = self
                response = await self._predict(Request(scope, receive))
                await response(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


def application(
    service: Service, *, body_limit: int, seconds: float, hosts: tuple[str, ...] | None = LOOPBACK
) -> Starlette:
    """The application. A body has at most `body_limit` bytes, and an answer takes at most
    `seconds`. `hosts`: names under which it may be asked for; None allows all.

    Without that check any web page could ask for a name of its own that leads to the loopback
    address, and read the answers.
    """

    async def predict(request: Request) -> Response:
        stage = "reading the body"
        try:
            async with asyncio.timeout(seconds):
                body = await _body(request, body_limit)
                stage = "computing"
                kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
                answer = await service.answer(body, kind, request.headers.get("accept", ""))
                return Response(answer.body, media_type=answer.type)
        except TimeoutError:
            status = 408 if stage == "reading the body" else 503
            return _fault(RequestError(status, f"{stage} took more than {seconds:g} seconds"))
        except RequestError as error:
            return _fault(error)
        except PalingradError as error:  # an index out of range, for example
            return _fault(RequestError(422, str(error)))
        except Exception:
            _log.exception("the model failed")
            return _fault(RequestError(500, "the model failed; the server's log says why"))

    def told(document: Callable[[], Any]) -> Endpoint:
        async def tell(request: Request) -> Response:
            return Response(to_json(document()), media_type=JSON)

        return tell

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncGenerator[None]:
        yield
        service.close()

    routes = [
        Route("/predict", predict, methods=["POST"]),
        Route("/health", told(lambda: {"status": "ok"})),
        Route("/signature", told(service.signature)),
        Route("/openapi.json", told(lambda: openapi(service))),
        *(Route(path, _file(name, kind)) for path, name, kind in _FILES),
    ]
    if service.signature()["kind"] == "text":
        routes.append(Route("/generate", predict, methods=["POST"]))
    guard = [] if hosts is None else [Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))]
    handlers: Any = {HTTPException: _refused}
    return _Application(predict, hosts, routes=routes, middleware=guard,
                        exception_handlers=handlers, lifespan=lifespan)  # fmt: skip


_FILES = [
    ("/", "page.html", "text/html"),
    ("/page.js", "page.js", "text/javascript"),
    ("/page.css", "page.css", "text/css"),
]


def _file(name: str, kind: str) -> Any:
    content = (_HERE / name).read_bytes()

    async def send(request: Request) -> Response:
        return Response(content, media_type=kind, headers=_POLICY)

    return send


async def _body(request: Request, limit: int) -> bytes:
    """The body. Raises RequestError if it is too large, before more of it is read."""
    length = request.headers.get("content-length", "0")
    large = RequestError(413, f"the body has more than {limit:,} bytes", limit=limit)
    if length.isdecimal() and int(length) > limit:
        raise large
    parts, size, more = list[bytes](), 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise RequestError(400, "the body ended early")
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        if size > limit:
            raise large
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _fault(error: RequestError) -> Response:
    return Response(to_json(error.as_json()), error.status, media_type=JSON)


async def _refused(request: Request, error: HTTPException) -> Response:
    """A path or method that doesn't exist."""
    paths = "POST /predict, GET /, /health, /signature and /openapi.json"
    fault = RequestError(error.status_code, f"{request.method} {request.url.path:.100}: "
                         f"{error.detail}; there is {paths}")  # fmt: skip
    response = _fault(fault)
    response.headers.update(error.headers or {})
    return response
