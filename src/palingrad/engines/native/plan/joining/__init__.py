"""Which nodes join a group, and with which others."""
