"""What a request may be answered with instead of a result."""

from __future__ import annotations

from typing import Any


class RequestError(Exception):
    """A fault of a request: an HTTP status, what is wrong, and where, as fields of the answer."""

    def __init__(self, status: int, message: str, **where: Any) -> None:
        super().__init__(message)
        self.status = status
        self.fields = {"status": status, "message": message, **where}

    def as_json(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"error": self.fields}
