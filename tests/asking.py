"""A client of an application, without a socket."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from coroutines import completed

URL = "http://127.0.0.1"


class Client:
    """Asks one thing after the other; `together` asks several at once."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._ask([("GET", path, options)])[0]

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self._ask([("POST", path, options)])[0]

    def together(self, path: str, bodies: Any) -> list[httpx.Response]:
        return self._ask([("POST", path, {"json": one}) for one in bodies])

    def _ask(self, questions: Any) -> list[httpx.Response]:
        async def ask() -> Any:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
                return await asyncio.gather(
                    *(
                        client.request(method, path, **options)
                        for method, path, options in questions
                    )
                )

        return completed(ask())
