"""`python -m palingrad.cli`: the command line."""

from . import main

main()
