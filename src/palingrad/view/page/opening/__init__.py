"""What the page tells while it plays: the captions of steps, and pictures of large arrays."""
