"""Derivatives: reverse and forward mode, transforms of functions, Jacobians, checking."""
