"""Sorting, and what is made of sorted elements."""
