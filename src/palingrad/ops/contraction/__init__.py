"""Contractions: sums of products over shared axes."""
