"""Windows."""
from __future__ import annotations
from typing import Any

def fits(node: Any) -> bool:
    return False

def layout(node: Any) -> Any:
    return None

def takes_epilogue(node: Any) -> bool:
    return False
