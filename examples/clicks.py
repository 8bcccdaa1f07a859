"""Three models of clicks whose probability has interactions of two and of three fields."""

import numpy as np

import palingrad as pg
from palingrad import models

ROWS, EPOCHS, RATE = 25_000, 8, 0.003

pg.set_seed(0)
clicks = pg.data.synthetic_clicks(ROWS)
cut = ROWS * 4 // 5
x, y = clicks.categories, clicks.clicks.astype(np.float32)
best = pg.train.metrics.ROC()
best.add(clicks.log_odds[cut:], clicks.clicks[cut:])
print(f"{'log-odds of the clicks':24}AUC {best.result():.2f}")

for name, model in {
    "linear": models.recommenders.Linear(clicks.sizes, 0),
    "factorization machine": models.fm(clicks.sizes),
    "DeepFM": models.deepfm(clicks.sizes),
}.items():
    history = pg.train.fit(
        model, (x[:cut], y[:cut]), test=(x[cut:], y[cut:]), optimizer=pg.optim.Adam(RATE),
        loss="binary_cross_entropy", metrics=["auc"], epochs=EPOCHS,
    )  # fmt: skip
    print(f"{name:24}AUC {history.epochs[-1].metrics['auc']:.2f}")
