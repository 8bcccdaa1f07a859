"""A small GPT that learns a rhyme, and a sample of what it writes."""

import tempfile
from pathlib import Path

import palingrad as pg

RHYME = """Monday's child is fair of face,
Tuesday's child is full of grace.
Wednesday's child is full of woe,
Thursday's child has far to go.
"""
CONTEXT, BATCH, EPOCHS, COUNT = 64, 8, 20, 57

path = Path(tempfile.mkdtemp(), "rhyme.txt")
path.write_text(RHYME * 60)
text = pg.data.read_text([path])
model = pg.models.gpt(text.tokenizer.count, context=CONTEXT, layers=2, heads=4, width=48, seed=0)
steps = EPOCHS * text.steps(CONTEXT, BATCH)
rate = pg.optim.warmup(pg.optim.cosine_decay(0.005, steps=steps), steps=20)
history = pg.train.fit(
    model,
    lambda epoch: text.batches(CONTEXT, BATCH, seed=0, epoch=epoch),
    optimizer=pg.optim.AdamW(rate, weight_decay=0.01, clip_norm=1.0),
    epochs=EPOCHS,
)
print("less than 0.3 nats a letter:", history.epochs[-1].loss < 0.3)

prompt = text.tokenizer.encode("Tuesday")[None]  # (1, time)
tokens = pg.models.generate(model, prompt, COUNT, temperature=0)
print("Tuesday" + text.tokenizer.decode(tokens))
