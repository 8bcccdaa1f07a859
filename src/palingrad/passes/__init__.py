"""Compiler passes: from a graph to a Program for an engine, one pure rewrite per file."""
