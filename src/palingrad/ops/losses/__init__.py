"""Losses: what training minimises."""
