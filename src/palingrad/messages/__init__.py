"""What error messages share: checks of arguments, calls that don't fit, unknown names."""
