"""Rules of which no mutants were tried yet. What is counted is struck out."""

from __future__ import annotations

UNCOUNTED = {
    "forward._double_vjp",
    "forward._pushed",
    "incomplete._beta_slope",
    "quotient.of_pairs",
    "student.StudentCdf.vjp",
    "student.StudentSlope.vjp",
    "student._density",
    "student._log1p_square",
    "student._slope",
    "student._tails",
    "student.student_log_density",
}
