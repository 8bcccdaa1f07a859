"""Eager code by kept Programs: values of composites, and the reverse passes of tapes."""
