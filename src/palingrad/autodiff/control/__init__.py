"""Derivatives of control flow: regions are differentiated into regions.

Imported when an operation with regions is first built.
"""

from . import branches as branches, loops as loops
