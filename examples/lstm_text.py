"""An LSTM that learns a rhyme letter by letter, and says it from its first words."""

import tempfile
from pathlib import Path

import palingrad as pg

RHYME = """One, two, buckle my shoe;
Three, four, knock at the door;
Five, six, pick up sticks;
Seven, eight, lay them straight;
Nine, ten, a big fat hen.
"""
CONTEXT, BATCH, EPOCHS = 32, 8, 6

path = Path(tempfile.mkdtemp(), "rhyme.txt")
path.write_text(RHYME * 20)
text = pg.data.read_text([path])
model = pg.models.char_rnn(text.tokenizer.count, width=64, seed=0)
history = pg.train.fit(
    model,
    lambda epoch: text.batches(CONTEXT, BATCH, seed=0, epoch=epoch),
    test=text.windows(CONTEXT),
    optimizer=pg.optim.Adam(0.01, clip_norm=1.0),
    epochs=EPOCHS,
)
print("the next letter is right in 9 of 10 cases:", history.epochs[-1].test_accuracy > 0.9)

prompt = text.tokenizer.encode("One, two, ")[None]  # (1, time)
tokens = pg.models.generate(model, prompt, len(RHYME) - prompt.shape[1], temperature=0)
print("One, two, " + text.tokenizer.decode(tokens), end="")
