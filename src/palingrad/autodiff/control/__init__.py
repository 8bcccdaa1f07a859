"""Derivatives of control flow: regions are differentiated into regions.

Imported when an operation with regions is first built.
"""

from . import (
    batched_branches as batched_branches,
    batching as batching,
    branches as branches,
    loops as loops,
)
