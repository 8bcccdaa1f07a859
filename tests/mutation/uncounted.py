"""Rules of which no mutants were tried yet. What is counted is struck out."""

from __future__ import annotations

UNCOUNTED = {
    "beta.Binom.d",
    "forward._double_vjp",
    "forward._pushed",
    "incomplete.BetaTail.d",
    "incomplete._beta_slope",
    "incomplete._log_beta_slope",
    "matrix_functions.ExpmFrechet.vjp",
    "matrix_functions.LogmFrechet.vjp",
    "matrix_functions._upper_right",
    "quotient.of_pairs",
    "quotient.without_phase",
    "reverse._accumulate_item",
    "singular.SVD.vjp",
    "spectral.Eig.vjp",
    "spectral.Eigh.vjp",
    "spectral.Eigvals.vjp",
    "student.StudentCdf.vjp",
    "student.StudentSlope.vjp",
    "student._density",
    "student._log1p_square",
    "student._mixed",
    "student._slope",
    "student._tails",
    "student.student_log_density",
}
