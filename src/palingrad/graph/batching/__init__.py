"""Batching rules: what an operation is, applied to many examples at once (`pg.vmap`)."""
