"""Reductions, and what is composed of them: statistics, softmax, normalisation."""
