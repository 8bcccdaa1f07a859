"""`python -m palingrad`: the command line."""

from .cli import main

main()
