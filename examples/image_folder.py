"""ResNet-20 on a folder of images, one folder for each class."""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import palingrad as pg

SIZE, IMAGES, EPOCHS = 12, 24, 4
rng = np.random.default_rng(0)


def picture(name):
    """Noise with bright stripes, across or down, or none."""
    pixels = rng.integers(0, 60, (SIZE, SIZE, 3))
    place = rng.integers(0, 3)
    if name == "across":
        pixels[place::3] += 150
    elif name == "down":
        pixels[:, place::3] += 150
    return Image.fromarray(pixels.astype(np.uint8))


folder = Path(tempfile.mkdtemp())
for name in ("across", "down", "none"):
    (folder / name).mkdir()
    for number in range(IMAGES):
        picture(name).save(folder / name / f"{number}.png")

images = pg.data.read_images(folder, seed=0)
print(images)
pg.set_seed(0)
model = pg.models.resnet20(len(images.classes), channels=3, width=4)
history = pg.train.fit(
    model, images.train, test=images.test, optimizer=pg.optim.Adam(0.01), epochs=EPOCHS,
    batch_size=16,
)  # fmt: skip
print("at least 90 % right:", history.epochs[-1].test_accuracy >= 0.9)
