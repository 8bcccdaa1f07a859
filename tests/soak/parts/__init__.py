"""The parts, one module each: `attempt(seed, folder)` makes one attempt of 0.05 to 3 s and raises
AssertionError with a full description of what is wrong.

`ISOLATED = True` gives each attempt a process of its own, for attempts that fork, interrupt or kill
themselves. `TIMEOUT` is the number of seconds after which an attempt counts as hung, `SHORT` the
number of attempts in `make test`.
"""
