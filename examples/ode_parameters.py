"""The parameters of a differential equation, found from a few noisy measurements.

Predators and prey follow the equations of Lotka and Volterra. `pg.odeint` solves them with steps
of its own choice; the gradient of the misfit comes from the adjoint equation, solved backwards.
"""

import numpy as np

import palingrad as pg

rng = np.random.default_rng(0)
times = np.linspace(0, 4, 9)
TRUE = np.array([1.5, 1.0, 2.0, 0.8])  # growth, predation, death, reproduction
start = np.array([1.0, 0.6])


def change(y, t, rates):
    """(prey, predators) → their rates of change."""
    growth, predation, death, reproduction = rates
    meetings = y[0] * y[1]
    return pg.stack([growth * y[0] - predation * meetings, reproduction * meetings - death * y[1]])


measured = pg.odeint(change, start, times, TRUE) * np.exp(rng.normal(0, 0.02, (9, 2)))


def misfit(rates):
    """Half the sum of squares of relative errors."""
    found = pg.odeint(change, start, times, rates, rtol=1e-6, atol=1e-8)
    return pg.sum((pg.log(found) - np.log(measured)) ** 2) / 2


guess = np.ones(4)
slope = pg.grad(misfit)(guess)
step = 1e-4 * np.eye(4)[0]
print(f"slope in the growth {slope[0]:.3f},", end=" ")
print(f"by differences {(misfit(guess + step) - misfit(guess - step)) / 2e-4:.3f}")

found = pg.minimize(misfit, guess, method="L-BFGS-B", tol=1e-6)
print(f"misfit {float(misfit(guess)):.3f} at the start, {found.fun:.4f} at the end")
for name, value, true in zip(("growth", "predation", "death", "reproduction"), found.x, TRUE):
    print(f"{name:12} {value:.2f}   true {true:.2f}")
