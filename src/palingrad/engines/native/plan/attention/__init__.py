"""Finds attention in a Program, so that one kernel computes it without its matrices of scores."""
