"""Jacobians as operators: their structure, products from both sides, sums and compositions."""
