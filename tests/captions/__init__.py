"""Graphs whose captions are checked, and an evaluator of captions."""
