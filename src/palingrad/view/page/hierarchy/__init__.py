"""Nested boxes of a large graph, and which of them the page opens with."""

from .hierarchy import hierarchy as hierarchy
