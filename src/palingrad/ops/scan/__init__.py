"""Running totals along an axis, and differences of neighbours."""
