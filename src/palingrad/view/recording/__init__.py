"""Recording: runs on a tape, retention of values within a memory budget, and recomputation."""
