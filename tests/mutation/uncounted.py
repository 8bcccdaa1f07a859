"""Rules of which no mutants were tried yet. What is counted is struck out."""

from __future__ import annotations

UNCOUNTED = {
    "forward._pushed",
    "incomplete._beta_slope",
    "student._density",
    "student._log1p_square",
    "student._slope",
    "student._tails",
}
