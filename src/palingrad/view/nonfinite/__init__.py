"""NaN and infinity: the element where they began, and why."""
