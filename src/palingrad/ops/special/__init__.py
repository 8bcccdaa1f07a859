"""Special functions, elementwise, one family a file; `pg.special` is their public module."""
