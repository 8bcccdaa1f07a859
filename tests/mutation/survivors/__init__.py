"""Mutants that the battery doesn't catch, by rule, each with the reason."""

from __future__ import annotations

from mutation.survivors.arrays import SURVIVORS as ARRAYS
from mutation.survivors.basics import SURVIVORS as BASICS
from mutation.survivors.linalg import SURVIVORS as LINALG
from mutation.survivors.numbers import SURVIVORS as NUMBERS

SURVIVORS: dict[str, dict[str, str]] = {**BASICS, **NUMBERS, **LINALG, **ARRAYS}
