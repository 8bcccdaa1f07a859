"""Twelve problems by which tools of differentiation are measured, one a file (saddle and particle
share `descent.py`)."""

from __future__ import annotations

from problems import ba, descent, det, gmm, hello, ht, kmeans, llsq, lse, lstm, ode
from problems.problem import Problem

PROBLEMS: dict[str, Problem] = {
    **{
        module.__name__.rpartition(".")[2]: module.PROBLEM
        for module in (hello, lse, llsq, ode, det, kmeans, gmm, ba, ht, lstm)
    },
    "saddle": descent.SADDLE,
    "particle": descent.PARTICLE,
}
