"""A hidden Markov model, fitted by the gradient of its likelihood: the forward algorithm as a scan.

A casino's die is fair or loaded, and is changed now and then; only the throws are seen. The scan
sums over all ways of changing in one pass over the throws (L. Rabiner, "A tutorial on hidden
Markov models", 1989, equations 19 to 21, with logarithms in place of his scaling). Its gradient
in the log-probabilities gives the chance that the die was loaded at each throw.
"""

import numpy as np

import palingrad as pg

rng = np.random.default_rng(3)
STAY = np.array([[0.95, 0.05], [0.10, 0.90]])  # the chances of keeping and changing the die
FACES = np.array([[1 / 6] * 6, [0.1] * 5 + [0.5]])  # of a fair and of a loaded die
THROWS = 2000

loaded = np.zeros(THROWS, int)
for t in range(1, THROWS):
    loaded[t] = rng.random() > STAY[loaded[t - 1], 0]
throws = np.array([rng.choice(6, p=FACES[die]) for die in loaded])


def log_likelihood(stay, faces, seen):
    """log p(throws) with log-probabilities of changes (2, 2), of faces (2, 6), and of what is
    seen at each throw for either die (throws, 2), to be added."""

    def step(before, now):  # before: log p(die, throws so far)
        throw, extra = now
        after = pg.logsumexp(before[:, None] + stay, axis=0) + faces[:, throw] + extra
        return after, None

    stay, faces, seen = map(pg.asarray, (stay, faces, seen))
    start = np.log([0.5, 0.5]) + faces[:, throws[0]] + seen[0]
    end, _ = pg.scan(step, start, (throws[1:], seen[1:]))
    return pg.logsumexp(end)


nothing = np.zeros((THROWS, 2))


changes = np.log([[0.8, 0.2], [0.2, 0.8]])
faces = np.log(np.array([[1 / 6] * 6, [0.15] * 5 + [0.25]]))
adam = pg.optim.Adam(0.05)
parameters = [pg.Variable(changes), pg.Variable(faces)]


@pg.function
def fit():
    value = -log_likelihood(*map(pg.log_softmax, parameters), nothing) / THROWS
    adam.minimize(value)
    return value


values = [float(fit()) for _ in range(300)]
print(f"-log p a throw: {values[0]:.3f} at the start, {values[-1]:.3f} after fitting,", end=" ")
truth = -log_likelihood(np.log(STAY), np.log(FACES), nothing) / THROWS
print(f"{float(truth):.3f} with the true chances")
stay, found = (np.exp(pg.log_softmax(p).numpy()) for p in parameters)
print(f"a loaded die stays with chance {stay[1, 1]:.2f} (true 0.90),", end=" ")
print(f"shows six with {found[1, 5]:.2f} (true 0.50)")
given = [np.log(stay), np.log(found)]
chance = pg.grad(lambda seen: log_likelihood(*given, seen))(nothing)  # p(die | all throws)
np.testing.assert_allclose(chance.sum(1), 1, rtol=1e-9)
print(f"the die is told right at {np.mean((chance[:, 1] > 0.5) == loaded):.0%} of the throws")
