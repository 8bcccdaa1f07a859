"""Vector mathematics: each function as arithmetic on Values, a family a file."""
