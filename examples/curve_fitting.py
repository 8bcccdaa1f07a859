"""Curve fitting by Gauss–Newton: two peaks on a slope, from noisy points.

The residuals are linearised at each step, and the step minimises the squares of the linear model.
Its Jacobian is exact; what it says about the errors of the parameters comes for free.
"""

import numpy as np

import palingrad as pg

rng = np.random.default_rng(0)
x = np.linspace(0, 10, 200)
TRUE = {"height": np.array([3.0, 1.5]), "centre": np.array([3.0, 6.5]),
        "width": np.array([0.8, 1.2]), "line": np.array([0.2, 0.1])}  # fmt: skip
START = {"height": np.array([2.0, 2.0]), "centre": np.array([2.5, 7.0]),
         "width": np.array([1.0, 1.0]), "line": np.array([0.0, 0.0])}  # fmt: skip


def curve(p):
    """Σ height·exp(−(x − centre)²/2width²) + a + b·x at all points."""
    distance = (x[:, None] - p["centre"]) / p["width"]  # (points, peaks)
    peaks = pg.sum(p["height"] * pg.exp(-(distance**2) / 2), axis=1)  # (points,)
    return peaks + p["line"][0] + p["line"][1] * x


y = curve(TRUE).numpy() + rng.normal(0, 0.05, x.size)


def residuals(p):
    return curve(p) - y


found = pg.least_squares(residuals, START, method="gauss-newton")
print(f"{found.nit} steps, half the sum of squares {found.cost:.4f}")

# The covariance of the parameters is σ²·(JᵀJ)⁻¹.
variance = 2 * found.cost / (x.size - found.jac.shape[1])
errors = iter(np.sqrt(variance * np.diag(np.linalg.inv(found.jac.T @ found.jac))))
for name, value in found.x.items():
    for number, true in zip(value, TRUE[name], strict=True):
        print(f"{name:7} {number:6.3f} ± {next(errors):.3f}   true {true:5.2f}")

for method in ("lm", "trf"):
    other = pg.least_squares(residuals, START, method=method)
    print(f"{method} finds the same: {np.allclose(other.x['centre'], found.x['centre'])}")

# The same with Variables, as in training.
height, centre = pg.Variable([2.0, 2.0], dtype="float64"), pg.Variable([2.5, 7.0], dtype="float64")
fixed = {"width": found.x["width"], "line": found.x["line"]}
optimizer = pg.optim.GaussNewton()
optimizer.minimize(lambda: residuals({"height": height, "centre": centre, **fixed}))
print("Variables", height.numpy().round(3), centre.numpy().round(3))
