"""Soak tests: each part attempts one kind of abuse again and again; see `python -m soak -h`.

`parts/` holds one module a part. `worker` makes a part's attempts in a process of its own,
`process` starts that process and notices when it fails, dies or hangs, and `run` shares the time
among the parts and prints the table of counts.
"""
