"""Derivatives of control flow: regions are differentiated into regions."""
