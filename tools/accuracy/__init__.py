"""What `special.py` measures."""
