"""The OpenAPI description of a server."""

from __future__ import annotations

from typing import Any

from ..version import __version__
from .bodies import JSON, NPY
from .services import Service


def openapi(service: Service) -> dict[str, Any]:
    """The description, in version 3.1."""
    signature = service.signature()
    content: dict[str, Any] = {JSON: {"schema": service.schema()}}
    if signature["kind"] in ("arrays", "image") and len(signature["inputs"]) == 1:
        content[NPY] = {"schema": {"type": "string", "format": "binary"}}
    fault = {"description": "What was wrong", "content": {JSON: {"schema": _FAULT}}}
    predict = {
        "summary": "What the model computes for these inputs",
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "The outputs by name"},
                      **dict.fromkeys(["400", "408", "413", "415", "422", "503"], fault)},
    }  # fmt: skip
    paths = {"/predict": {"post": predict}, "/health": {"get": _got("Whether the server runs")},
             "/signature": {"get": _got("Names, shapes and dtypes")}}  # fmt: skip
    return {"openapi": "3.1.0", "info": {"title": "palingrad model", "version": __version__},
            "paths": paths}  # fmt: skip


def _got(summary: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": {"description": summary}}}


_FAULT = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {"status": {"type": "integer"}, "message": {"type": "string"}},
        }
    },
}
