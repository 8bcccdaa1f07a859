"""In a steady state memory doesn't grow, however often a program runs."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own, whose largest size so far nobody else has set.
PROGRAM = """
import resource
import numpy as np
import palingrad as pg

w, v = (pg.Variable(np.zeros(8), dtype=pg.float64) for _ in range(2))

@pg.function(engine="native")
def step(x):
    loss = pg.sum((w - x) ** 2)
    w.assign(w - 0.01 * pg.gradients(loss, w))
    return loss

@pg.function(engine="native")
def drop(i, x):
    taken = pg.take(v, (i + 1) % 8, axis=0)
    loss = pg.sum((pg.dropout(taken, 0.5) - pg.concat([x[4:], x[:4]])) ** 2)
    v.assign(v - 0.01 * pg.gradients(loss, v))
    return loss

@pg.function(engine="native")
def forward(x):
    return pg.tanh(x) * 2, pg.sum(x), x[::-1]

x, i = np.ones(8), np.arange(8)

def some(count):
    for number in range(count):
        step(x)
        if number % 10 == 0:
            forward(x)
            drop(i, x)
        if number % 100 == 0:
            w.numpy()

some(5000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
some(95_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, np.abs(w.numpy() - x).max())
"""


def test_memory_is_flat_over_100_000_steps():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    grown, error = map(float, done.stdout.split())
    assert grown < 2500  # KiB: less than one object a step
    assert error < 1e-9
